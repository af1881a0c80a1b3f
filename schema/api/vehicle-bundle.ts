import * as z from "zod";
import { COMMAND_STATES } from "#schema/domain/command.ts";
import { BundledTwin } from "./twin.ts";

const Millis = z.int().min(0);

/** A command without its signature: whoever owns the vehicle signs it, under the same id and expiry. */
export const BundledCommand = z.object({
  id: z.string().max(64),
  type: z.string(),
  /** JSON texts. */
  arguments: z.string(),
  state: z.enum(COMMAND_STATES),
  result: z.string().nullable(),
  createdAt: Millis,
  expiresAt: Millis,
  updatedAt: Millis,
  requestedBy: z.string(),
  idempotencyKey: z.string(),
  bodyHash: z.string(),
  priority: z.int().default(0),
});
export type BundledCommand = z.infer<typeof BundledCommand>;

/** A message as the vehicle sent it; `payload` is its JSON text. */
export const BundledMessage = z.object({ id: z.string(), receivedAt: Millis, payload: z.string() });
export type BundledMessage = z.infer<typeof BundledMessage>;

export const BundledSubscription = z.object({ topic: z.string(), qos: z.union([z.literal(0), z.literal(1), z.literal(2)]) });
export type BundledSubscription = z.infer<typeof BundledSubscription>;

/** What one cell gives another of a vehicle: `GET /v1/moves/{moveId}/vehicle` at the source, for the target of that move only. */
export const VehicleBundle = z.object({
  vin: z.string(),
  vinKey: z.string(),
  /** Telemetry of this vehicle is complete from here, here and in what follows. */
  completeFrom: Millis,
  /** Open ones, and all of the last 24 h: their ids and idempotency keys are known at the target too. */
  commands: z.array(BundledCommand),
  /** The last hour. It goes to the centre from the source, not once more from the target. */
  telemetry: z.array(BundledMessage),
  twin: BundledTwin.nullable().default(null),
  /** What a session that outlives its connection is subscribed to. */
  subscriptions: z.array(BundledSubscription),
});
export type VehicleBundle = z.infer<typeof VehicleBundle>;
