import * as z from "zod";
import { EpochField, VinField, VinKeyField } from "./fields.ts";
import { BundledTwin } from "./twin.ts";
import { BundledCommand, BundledSubscription } from "./vehicle-bundle.ts";

/** The control state of one vehicle, as its owner has it: all that a standby needs to serve it as a guest. */
export const VehicleReplica = z.object({
  vin: VinField,
  vinKey: VinKeyField,
  epoch: EpochField,
  commands: z.array(BundledCommand),
  subscriptions: z.array(BundledSubscription),
  twin: BundledTwin.nullable().default(null),
});
export type VehicleReplica = z.infer<typeof VehicleReplica>;

/**
 * Body of `POST /v1/standby/{owner}/replicas`, by the owner with its peer token. Position 0 begins a stream, which is a snapshot until `isWhole`; what it did
 * not name by then is gone. A batch that is repeated changes nothing; one out of turn is answered 409, and a new stream begins.
 */
export const ReplicaBatch = z.object({
  stream: z.string().min(1).max(64),
  position: z.int().min(0),
  isWhole: z.boolean(),
  vehicles: z.array(VehicleReplica).max(500),
  gone: z.array(VinField).max(5_000),
});
export type ReplicaBatch = z.infer<typeof ReplicaBatch>;

/** Body of `POST /v1/standby/{owner}/return` and `…/returned`: the owner asks for its vehicles back, and says that it has stored what it got. */
export const ReturnRequest = z.object({ term: z.int().min(1), vins: z.array(VinField).min(1).max(500) });
export type ReturnRequest = z.infer<typeof ReturnRequest>;

/** What the standby has of those that were its guests; the others have nothing here. Asked again, it is given again. */
export const ReturnAnswer = z.object({
  vehicles: z.array(z.object({ vin: VinField, commands: z.array(BundledCommand), twin: BundledTwin.nullable().default(null) })),
});
export type ReturnAnswer = z.infer<typeof ReturnAnswer>;
