import type { OwnerRole } from "#schema/domain/command.ts";

/** Which commands a role may send, by the command's type. A workshop diagnoses; it does not open doors. */
const COMMAND_RIGHTS: Readonly<Record<OwnerRole, RegExp>> = {
  owner: /^/,
  fleet: /^/,
  driver: /^(?!ownership\.|security\.)/,
  service: /^(service|diagnostics)\./,
};

export const maySend = (role: OwnerRole, type: string): boolean => COMMAND_RIGHTS[role].test(type);
