import * as z from "zod";
import { CELL_STATES } from "#schema/domain/cell.ts";
import { FailoverAccount, GuestsEntry } from "./failover.ts";
import { CellIdField, EndpointsField, EpochField, PublicJwkField, VinField, VinKeyField } from "./fields.ts";
import { GrantPage } from "./grants.ts";
import { AddressedOrder, HeldEntry, MoveReportEntry } from "./moves.ts";
import { TrustedIssuerDocument } from "./topology.ts";

/** What a cell may report; a kind that control does not know is ignored. */
export const CellReport = z.discriminatedUnion("kind", [MoveReportEntry, HeldEntry, GuestsEntry]);
export type CellReport = z.infer<typeof CellReport>;

/** Body of `POST /v1/cells/{id}/sync`, every 2 s (design §4.5). */
export const SyncRequest = z.object({
  observed: z.object({
    /** Raised durably at each start of the cell; a lower one is a clone or an old disk. */
    incarnation: z.int().min(1),
    release: z.string().max(64),
    health: z.enum(["ok", "degraded"]),
    metrics: z.record(z.string().max(64), z.number()).default({}),
    witness: z
      .array(z.object({ cell: CellIdField, isReachable: z.boolean() }))
      .max(16)
      .default([]),
    /** Each a `CellReport`. */
    reports: z.array(z.record(z.string(), z.unknown())).max(1_000).default([]),
  }),
  /** Opaque; null asks for a snapshot. */
  cursor: z.string().max(256).nullable(),
  /** Version of the view that the cell holds; 0 for none. */
  viewVersion: z.int().min(0).default(0),
  /** `ordersCursor` of the last answer whose orders the cell has taken up; 0, at its start and every 10 s while it has any, brings all of them again. */
  ordersCursor: z.int().min(0).optional(),
  /** Cursor of the grants that the cell holds; null asks for all of them, absent for none. */
  grantsCursor: z.string().max(256).nullable().optional(),
});
export type SyncRequest = z.infer<typeof SyncRequest>;

/** One assignment as it concerns this cell. `cell` is the owner; null means erased. */
export const AssignmentChange = z.object({ vinKey: VinKeyField, vin: VinField, epoch: EpochField, cell: CellIdField.nullable() });
export type AssignmentChange = z.infer<typeof AssignmentChange>;

/** What a cell must know of the world to serve alone; versioned like the topology it is cut from. */
export const CellView = z.object({
  version: z.int(),
  popKeys: z.record(z.string(), z.array(PublicJwkField)),
  issuers: z.array(TrustedIssuerDocument),
  revoked: z.array(z.string()),
  /** Endpoints of every cell, for references. */
  endpoints: z.record(z.string(), EndpointsField),
  standby: CellIdField.nullable(),
  standbyFor: z.array(CellIdField),
  /** Cells of `standbyFor` that are failed over, with their term. */
  failedOver: z.array(z.object({ cell: CellIdField, term: z.int() })),
  /** Keys of every cell: with them it verifies who pulls a vehicle. */
  cellKeys: z.record(z.string(), z.array(PublicJwkField)).optional(),
});
export type CellView = z.infer<typeof CellView>;

/** Answer of the sync. `now` is milliseconds since the epoch. */
export const SyncAnswer = z.object({
  now: z.int(),
  desired: z.object({
    state: z.enum(CELL_STATES),
    release: z.string().nullable(),
    limits: z.object({ hardLimit: z.int() }),
    /** Cells whose `{https}/healthz` this one is asked to try; the next sync says in `witness` whether it answered. */
    probe: z.array(z.object({ cell: CellIdField, https: z.url() })).default([]),
  }),
  changes: z.array(AssignmentChange),
  /** To be stored with the changes, in one transaction, and sent next time. */
  cursor: z.string(),
  /** Whether more changes wait behind this bounded page: sync again at once. */
  hasMore: z.boolean(),
  /** Whether the changes are pages of a snapshot; when it ends, own records that it did not name are gone. */
  isSnapshot: z.boolean(),
  view: CellView.optional(),
  /** Grants behind `grantsCursor`, when the cell sent one; a cursor of another timeline is answered with a snapshot. */
  grants: GrantPage.optional(),
  /** At most 500 moves' next actions, each obeyed as schema/domain/cell-move.ts says. */
  orders: z.array(AddressedOrder).default([]),
  ordersCursor: z.int().default(0),
  /** When to sync again, unless there is something to report before; 10 a second at most. */
  syncAfterMs: z.int().min(100).default(2_000),
  /** Of the cell itself (always) and of those whose standby it is or was in the last term. */
  failovers: z.array(FailoverAccount).default([]),
});
export type SyncAnswer = z.infer<typeof SyncAnswer>;
