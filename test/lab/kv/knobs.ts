import * as z from "zod";

/** The longest delay that can be set: older copies of a value are not kept. */
export const MAX_DELAY_SECONDS = 600;

const rate = z.number().min(0).max(1);

/** What can be done to the lab's KV while it runs: `PUT /knobs` with any of these members; they last until the KV process ends. */
export const Knobs = z.strictObject({
  /** After this a write is seen by the POPs that did not make it. With 0 every read is current and nothing is cached. */
  delaySeconds: z.number().min(0).max(MAX_DELAY_SECONDS),
  /** Shares of the reads and of the writes that fail with status 500. */
  readErrors: rate,
  writeErrors: rate,
  /** Added to every call. */
  slowMs: z.int().min(0).max(120_000),
  /** A key that is written more often is answered 429. */
  writesPerSecondPerKey: z.number().gt(0),
});
export type Knobs = z.infer<typeof Knobs>;

export const KnobsPatch = Knobs.partial();
export type KnobsPatch = Partial<Knobs>;

export const DEFAULT_KNOBS: Knobs = { delaySeconds: 0, readErrors: 0, writeErrors: 0, slowMs: 0, writesPerSecondPerKey: 1 };
