import * as z from "zod";
import { MOVE_FAILURES, MOVE_STATES } from "#schema/domain/move.ts";
import { DISTURBANCES, ORDER_REFUSALS } from "#schema/domain/move-message.ts";
import { CellIdField, EpochField, TimeField, VinField, VinKeyField } from "./fields.ts";

const MoveIdField = z.string().min(1).max(64);
const StepField = z.int().min(0);
const ChecksumField = z.string().min(1).max(128);

const step = { moveId: MoveIdField, step: StepField };
const address = { ...step, role: z.enum(["source", "target"]), peer: CellIdField };

/** What control wants of a cell for one move: `MoveOrder` of schema/domain. */
export const MoveOrderDocument = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("lock"), ...address, epoch: EpochField, deadlineAt: z.int() }),
  z.object({ kind: z.literal("copy"), ...address, epoch: EpochField }),
  z.object({ kind: z.literal("settle"), ...address, epoch: EpochField, owner: CellIdField }),
]);

/** What became of an order: `MoveReport` of schema/domain. */
export const MoveReportDocument = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("waiting"), ...step, disturbance: z.enum(DISTURBANCES).nullable() }),
  z.object({ kind: z.literal("locked"), ...step, checksum: ChecksumField }),
  z.object({ kind: z.literal("refused"), ...step, reason: z.enum(ORDER_REFUSALS), heldStep: StepField }),
  z.object({ kind: z.literal("copied"), ...step, checksum: ChecksumField }),
  z.object({ kind: z.literal("settled"), ...step, epoch: EpochField, isSeen: z.boolean() }),
]);

/** An order in the answer of a sync. The target pulls from `peerEndpoint` (HTTPS) with a token of its own (schema/crypto/pull-token.ts). */
export const AddressedOrder = z.object({
  vinKey: VinKeyField,
  vin: VinField,
  order: MoveOrderDocument,
  peerEndpoint: z.url().optional(),
});
export type AddressedOrder = z.infer<typeof AddressedOrder>;

/** A report in a sync. Reports may be repeated at will; one whose sync failed is sent again. */
export const MoveReportEntry = z.object({ kind: z.literal("move"), vinKey: VinKeyField, report: MoveReportDocument });
export type MoveReportEntry = z.infer<typeof MoveReportEntry>;

/**
 * The cell still holds something of a move, and asks for control's word: the answer has an order for it, whatever became of the move.
 * With `vin` also for one that control no longer knows.
 */
export const HeldEntry = z.object({ kind: z.literal("held"), vinKey: VinKeyField, vin: VinField.optional(), ...step });
export type HeldEntry = z.infer<typeof HeldEntry>;

/** A move as the API shows it. */
export const Move = z.object({
  id: MoveIdField,
  campaign: z.string(),
  vin: VinField,
  vinKey: VinKeyField,
  source: CellIdField,
  target: CellIdField,
  state: z.enum(MOVE_STATES),
  fromEpoch: EpochField,
  toEpoch: EpochField.nullable(),
  failure: z.enum(MOVE_FAILURES).nullable(),
  /** Who moves next. */
  waitsFor: z.enum(["source", "target", "control", "vehicle", "nobody"]),
  createdAt: TimeField,
  updatedAt: TimeField,
  /** When each state was reached. */
  times: z.partialRecord(z.enum(MOVE_STATES), TimeField),
});
export type Move = z.infer<typeof Move>;
