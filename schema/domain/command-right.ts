import type { OwnerRole } from "./command.ts";

/** Who may send commands that the catalogue does not have, by the command's type. A workshop diagnoses; it does not open doors. */
export const CUSTOM_RIGHTS: Readonly<Record<OwnerRole, RegExp>> = {
  owner: /^/,
  fleet: /^/,
  driver: /^(?!ownership\.|security\.)/,
  service: /^(service|diagnostics)\./,
};

/** Who may change what a vehicle is to be: its desired twin. */
export const MAY_SET_DESIRED: readonly OwnerRole[] = ["owner", "fleet"];
