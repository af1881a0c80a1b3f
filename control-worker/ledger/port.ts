import type { ErrorCode } from "#schema/api/error.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import type { Result, Statement } from "../store/statement.ts";
import type { NewVehicle } from "../store/vehicles.ts";

/** Plain data only: this port is called across a Durable Object's RPC, where classes lose their prototypes. */
export type Refused = { readonly kind: "refused"; readonly code: ErrorCode; readonly detail: string; readonly retryAfterSeconds: number };

/** `results` null: it is stored, but what the statements answered was lost. */
export type WriteOutcome = { readonly kind: "written"; readonly results: readonly Result[] | null } | Refused;

/** Who asked for a change, by which request and operation. */
export type Origin = { readonly actor: string; readonly requestId: string; readonly action: string };
/** A change as the audit keeps it for good: `before` and `after` are JSON values, and nothing here holds a VIN or a secret. */
export type Change = { readonly target: string; readonly before: unknown; readonly after: unknown; readonly origin?: Origin };
/** What goes with a write: rows of the audit, and what its caller is answered, for when the call is repeated. */
export type Said = { readonly changes?: readonly Change[]; readonly answer?: unknown };
/** With a placement: also statements that are to be committed with it. */
export type PlacementNote = Said & { readonly also?: readonly Statement[] };

/** A vehicle to be placed. `vehicle` is what to register: at `edge` only when it is unknown, by `import` in any case. */
export type Candidate = { readonly vin: Vin; readonly vinKey: VinKey; readonly vehicle: NewVehicle | null };
export type PlacementMode = "edge" | "import";

export type PlacementOutcome =
  | {
      readonly kind: "assigned" | "placed";
      readonly vinKey: VinKey;
      readonly cell: CellId;
      readonly epoch: number;
      /** The rule that chose the cell, where one did. */
      readonly rule: string | null;
      /** Whether the registry row was made or changed. */
      readonly isChanged: boolean;
    }
  | { readonly kind: "refused"; readonly code: PlacementRefusal; readonly isChanged: boolean };
export type PlacementRefusal = "no_capacity" | "no_cell_in_zone" | "not_enrolled" | "zone_mismatch" | "busy";

/** One outcome per candidate, in order. */
export type PlaceOutcome = { readonly kind: "decided"; readonly outcomes: readonly PlacementOutcome[] } | Refused;

/** What a cell says of itself with each sync. */
export type Contact = {
  readonly cell: CellId;
  readonly incarnation: number;
  readonly knownIncarnation: number;
  readonly release: string;
  readonly knownRelease: string;
  readonly health: "ok" | "degraded";
  readonly metrics: Readonly<Record<string, number>>;
  /** Whether this cell reaches others that it was asked about. */
  readonly witness: readonly { readonly cell: CellId; readonly isReachable: boolean }[];
};
export type ContactOutcome = { readonly kind: "accepted" } | { readonly kind: "quarantined"; readonly incarnation: number } | Refused;

export type LedgerStatus = {
  readonly isWriter: boolean;
  readonly term: number | null;
  readonly queued: number;
  readonly contacts: number;
  readonly pendingSingles: number;
  readonly pendingBulk: number;
  readonly publishLagMs: number;
};

/** The one way to change anything in libSQL. */
export type LedgerPort = {
  /** Commits these statements and their audit together, or nothing. */
  write(statements: readonly Statement[], said?: Said): Promise<WriteOutcome>;
  place(candidates: readonly Candidate[], mode: PlacementMode, said?: PlacementNote): Promise<PlaceOutcome>;
  contact(contact: Contact): Promise<ContactOutcome>;
  /** The cell has called, although its call was refused: it is there. */
  heard(cell: CellId): Promise<void>;
  status(): Promise<LedgerStatus>;
};
