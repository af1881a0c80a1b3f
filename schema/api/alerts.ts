import * as z from "zod";
import { TimeField } from "./fields.ts";

/** An alert as the API shows it. What is seen again while it is open is counted, not opened anew. */
export const Alert = z.object({
  id: z.int(),
  kind: z.string(),
  /** What it is about: a cell's or a campaign's id. */
  subject: z.string(),
  severity: z.enum(["warning", "critical"]),
  detail: z.string(),
  count: z.int(),
  openedAt: TimeField,
  seenAt: TimeField,
  acknowledgedAt: TimeField.nullable(),
  resolvedAt: TimeField.nullable(),
});
export type Alert = z.infer<typeof Alert>;
