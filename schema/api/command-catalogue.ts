import * as z from "zod";
import type { OwnerRole } from "#schema/domain/command.ts";
import { CUSTOM_RIGHTS } from "#schema/domain/command-right.ts";
import { parseInput } from "./error.ts";

type Entry = {
  /** The arguments that the type has; a vehicle's own may stand beside them. */
  readonly arguments: z.ZodType;
  readonly roles: readonly OwnerRole[];
  /** What goes first when several wait. The same for commands that undo each other: their order is their meaning. */
  readonly priority: number;
};

const USERS: readonly OwnerRole[] = ["owner", "fleet", "driver"];
const KEEPERS: readonly OwnerRole[] = ["owner", "fleet"];

const DOORS = z.enum(["front-left", "front-right", "rear-left", "rear-right", "boot"]);
const Doors = z.looseObject({ doors: z.array(DOORS).min(1).optional() });
const Climate = z.looseObject({
  celsius: z.number().min(10).max(35).optional(),
  minutes: z.int().min(1).max(60).optional(),
});
const Times = z.looseObject({ times: z.int().min(1).max(10).optional() });
const Bare = z.looseObject({});

/** The types of commands that every vehicle of the fleet means the same by. Any other type is a custom one. */
export const COMMAND_CATALOGUE = {
  "doors.lock": { arguments: Doors, roles: USERS, priority: 2 },
  "doors.unlock": { arguments: Doors, roles: USERS, priority: 2 },
  "climate.start": { arguments: Climate, roles: USERS, priority: 0 },
  "climate.stop": { arguments: Bare, roles: USERS, priority: 0 },
  "charge.start": { arguments: Bare, roles: USERS, priority: 0 },
  "charge.stop": { arguments: Bare, roles: USERS, priority: 0 },
  "charge.limit": { arguments: z.looseObject({ percent: z.int().min(20).max(100) }), roles: USERS, priority: 0 },
  "vehicle.locate": { arguments: Bare, roles: KEEPERS, priority: 1 },
  "horn.honk": { arguments: Times, roles: USERS, priority: 0 },
  "lights.flash": { arguments: Times, roles: USERS, priority: 0 },
} as const satisfies Record<string, Entry>;

const entryOf = (type: string): Entry | undefined =>
  Object.hasOwn(COMMAND_CATALOGUE, type) ? COMMAND_CATALOGUE[type as keyof typeof COMMAND_CATALOGUE] : undefined;

/** Whether a role may send commands of this type. */
export const maySend = (role: OwnerRole, type: string): boolean => entryOf(type)?.roles.includes(role) ?? CUSTOM_RIGHTS[role].test(type);

/** What goes first when several commands wait for a vehicle: higher ones, then older ones. */
export const priorityOf = (type: string): number => entryOf(type)?.priority ?? 0;

/** Throws `validation_failed`, naming the fields, when the arguments are not what the type has. A custom type may have any. */
export const checkArguments = (type: string, given: Readonly<Record<string, unknown>>): void => {
  const Arguments = entryOf(type)?.arguments;
  if (Arguments !== undefined) parseInput(z.object({ arguments: Arguments }), { arguments: given });
};
