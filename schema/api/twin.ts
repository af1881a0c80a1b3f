import * as z from "zod";
import { ACTIVITIES } from "#schema/domain/activity.ts";
import { TimeField, VinField } from "./fields.ts";

/** RFC 7396: the media type of `PATCH …/twin/desired`. */
export const MERGE_PATCH_TYPE = "application/merge-patch+json";

const Document = z.record(z.string(), z.json());

export const DesiredPatch = Document;

/** The desired document. Its version rises with each change; `term` rises with failovers and comes first. */
export const DesiredTwin = z.object({
  document: Document,
  term: z.int(),
  version: z.int(),
  updatedAt: TimeField.nullable(),
});
export type DesiredTwin = z.infer<typeof DesiredTwin>;

/** Answer of `GET /v1/vehicles/{vin}/twin`. `boot` and `seq` are the vehicle's own count of its reports; boot 0 when it does not count. */
export const TwinAnswer = z.object({
  vin: VinField,
  reported: z.object({ document: Document, boot: z.int(), seq: z.int(), updatedAt: TimeField.nullable() }),
  desired: DesiredTwin,
  /** Unknown or older than 10 minutes is parked. */
  activity: z.enum(ACTIVITIES),
});
export type TwinAnswer = z.infer<typeof TwinAnswer>;

/** Answer of `GET /v1/vehicles/{vin}/twin/history`: desired versions, latest first. */
export const TwinHistory = z.object({ items: z.array(DesiredTwin.extend({ changedBy: z.string() })), cursor: z.null() });
export type TwinHistory = z.infer<typeof TwinHistory>;

const Millis = z.int().min(0);

/** A twin on its way between two cells: in a move's bundle, or to the standby. Texts are JSON, as stored. */
export const BundledTwin = z.object({
  reported: z.string(),
  boot: z.int(),
  seq: z.int(),
  reportedAt: Millis.nullable(),
  activity: z.string().nullable(),
  activityAt: Millis.nullable(),
  heldTerm: z.int().nullable(),
  heldVersion: z.int().nullable(),
  /** Latest first: the version that holds, then its history. */
  desired: z.array(z.object({ term: z.int(), version: z.int(), document: z.string(), changedAt: Millis, changedBy: z.string() })),
});
export type BundledTwin = z.infer<typeof BundledTwin>;
