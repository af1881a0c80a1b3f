import { isVin, parseVin } from "#schema/domain/vin.ts";
import type { Access } from "./auth/caller.ts";
import type { Deps } from "./deps.ts";
import type { Change, LedgerPort, Origin, PlacementNote } from "./ledger/port.ts";

/** Every call that may change something is audited, save what cells and POPs do all the time. */
export const isAudited = ({ method, access }: { readonly method: string; readonly access: Access }): boolean =>
  method !== "get" && !access.every((caller) => caller === "cell" || caller === "pop");

const nameOf = async (deps: Deps, value: unknown): Promise<string> => {
  const vin = typeof value === "string" ? parseVin(value) : null;
  return vin !== null && isVin(vin) ? deps.vinKeyer(vin) : String(value);
};

/** How the audit names what a path leads to; a VIN is never in it. */
export const targetOf = async (deps: Deps, params: unknown): Promise<string> => {
  const values = Object.values((params ?? {}) as Record<string, unknown>);
  return (await Promise.all(values.map((value) => nameOf(deps, value)))).join("/");
};

/** A ledger in which every write says who asked for it. A service that says nothing of its changes is audited all the same. */
export const attribute = (ledger: LedgerPort, origin: Origin, target: string): LedgerPort => {
  const unsaid: readonly Change[] = [{ target, before: null, after: null }];
  const signed = ({ changes = unsaid, ...rest }: PlacementNote = {}): PlacementNote => ({
    ...rest,
    changes: changes.map((change) => ({ ...change, origin })),
  });
  return {
    write: (statements, said) => ledger.write(statements, statements.length === 0 ? {} : signed(said)),
    place: (candidates, mode, said) => ledger.place(candidates, mode, signed(said)),
    contact: (contact) => ledger.contact(contact),
    heard: (cell) => ledger.heard(cell),
    status: () => ledger.status(),
  };
};
