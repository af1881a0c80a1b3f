import * as z from "zod";
import { VinKeyField } from "./fields.ts";

export const ROUTE_FAULTS = ["missing", "older", "newer", "other_cell", "extra"] as const;
/** How a key of KV differs from truth; `extra`: no vehicle has it. */
export type RouteFault = (typeof ROUTE_FAULTS)[number];

const Count = z.object({ keys: z.int(), differences: z.int(), mended: z.int() });

/** Query of the comparison; `mend` also sends what differs through the outbox once more. */
export const CompareQuery = z.object({ mend: z.stringbool().default(false) });

/** NDJSON lines of `POST /v1/projection/compare`: each difference, progress, and one summary. */
export const CompareReport = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("difference"), pepper: z.string(), vinKey: VinKeyField, fault: z.enum(ROUTE_FAULTS) }),
  Count.extend({ kind: z.literal("progress") }),
  Count.extend({ kind: z.literal("done") }),
]);
export type CompareReport = z.infer<typeof CompareReport>;

/** NDJSON lines of `POST /v1/projection/rebuild`: how many routes wait to be published once more. */
export const RebuildReport = z.object({ kind: z.enum(["progress", "done"]), routes: z.int() });
export type RebuildReport = z.infer<typeof RebuildReport>;
