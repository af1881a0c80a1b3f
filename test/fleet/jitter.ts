/** How long to wait: at least this long, and then a random share of the spread. */
export type Wait = { readonly atLeastMs: number; readonly spreadMs: number };

export const NO_WAIT: Wait = { atLeastMs: 0, spreadMs: 0 };

const BASE_MS = 250;
const CAP_MS = 5000;
/** As many failures as make the wait longest. */
export const MOST_FAILURES = 5;
/** Also keeps a timer inside its 31 bits. */
const LONGEST_RETRY_AFTER_MS = 24 * 3600 * 1000;

/**
 * Full jitter: the spread doubles with each failure up to 5 s. A server's retry-after is waited out first, and the crowd that
 * was told the same is then spread over as long again.
 */
export const backoff = (failures: number, retryAfterMs: number | null = null): Wait => {
  const atLeastMs = Math.min(retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS);
  const spreadMs = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(failures, MOST_FAILURES));
  return { atLeastMs, spreadMs: Math.max(spreadMs, Math.min(atLeastMs, LONGEST_RETRY_AFTER_MS - atLeastMs)) };
};

/** Milliseconds to wait; `random` answers 0 to 1. */
export const delayOf = (wait: Wait, random: () => number): number => wait.atLeastMs + random() * wait.spreadMs;

/** Reads a Retry-After header (RFC 9110 §10.2.3: seconds or a date) as milliseconds; null when there is none to honour. */
export const parseRetryAfter = (header: string | null, nowMs: number): number | null => {
  if (header === null || header.trim() === "") return null;
  const seconds = Number(header);
  const waitMs = Number.isNaN(seconds) ? Date.parse(header) - nowMs : seconds * 1000;
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : null;
};

/** Reads the MQTT user property `retry-after-ms`; null when it is none. */
export const parseRetryAfterMs = (property: unknown): number | null => {
  const text = Array.isArray(property) ? property[0] : property;
  return typeof text === "string" && /^\d{1,12}$/.test(text) ? Number(text) : null;
};
