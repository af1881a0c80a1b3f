import * as z from "zod";
import { CellIdField, EpochField } from "./fields.ts";

/** Payload of `v1/{vin}/session`: what a 3.1.1 vehicle gets instead of a DISCONNECT 0x9D. `reference` is the MQTT endpoint of `cell`. */
export const SessionNotice = z.discriminatedUnion("state", [
  z.object({ state: z.literal("moving") }),
  z.object({ state: z.literal("moved"), cell: CellIdField, epoch: EpochField, reference: z.string() }),
]);
export type SessionNotice = z.infer<typeof SessionNotice>;
