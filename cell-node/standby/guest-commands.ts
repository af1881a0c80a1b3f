import type { BundledCommand } from "#schema/api/vehicle-bundle.ts";
import { type CommandCopy, mergeCommands } from "#schema/domain/merge.ts";
import type { Vehicle } from "../admission/vehicle.ts";
import type { Clock } from "../clock.ts";
import type { CommandRow, Store } from "../store/store.ts";
import type { CommandDesk } from "../vehicle/command-desk.ts";

const COMMANDS_MS = 24 * 3_600_000;

export const recentCommands = async (store: Store, clock: Clock, { number }: Pick<Vehicle, "number">): Promise<BundledCommand[]> => {
  const rows = await store.commandsSince(number, clock.nowMs() - COMMANDS_MS);
  return rows.map(({ vehicle: _, token: __, ...command }) => command);
};

type Copy = BundledCommand & CommandCopy;
const toCopy = (command: BundledCommand): Copy => ({ ...command, detail: command.result ?? "" });

/** The commands of both cells as this one carries them on: of each the furthest state, signed here under the same id and expiry. */
export const mergeHere = async (
  { store, clock, commands }: { readonly store: Store; readonly clock: Clock; readonly commands: CommandDesk },
  vehicle: Vehicle,
  theirs: readonly BundledCommand[],
): Promise<CommandRow[]> => {
  const own = await recentCommands(store, clock, vehicle);
  const merged = mergeCommands(own.map(toCopy), theirs.map(toCopy));
  return Promise.all(
    merged.map(({ detail: _, ...command }) => commands.signAgain(vehicle, { ...command, vehicle: vehicle.number, token: "" })),
  );
};
