import type { Refusal } from "./admission.ts";

/** How a refusal is said: MQTT 5 reason code, MQTT 3.1.1 return code, HTTP status; `retryAfterMs` where trying again here helps. */
export type RefusalAnswer = {
  readonly reasonCode: number;
  readonly returnCode: number;
  readonly status: 401 | 403 | 421 | 503;
  readonly retryAfterMs: number | null;
};

/** [MQTT-3.2.2.2] of MQTT 5.0 and [MQTT-3.2.2-4] of 3.1.1, as design §4.3 maps them. */
export const REFUSAL_ANSWERS: Readonly<Record<Refusal, RefusalAnswer>> = {
  over_budget: { reasonCode: 0x9f, returnCode: 3, status: 503, retryAfterMs: 2000 },
  bad_credential: { reasonCode: 0x86, returnCode: 4, status: 401, retryAfterMs: null },
  wrong_identity: { reasonCode: 0x85, returnCode: 2, status: 403, retryAfterMs: null },
  busy: { reasonCode: 0x89, returnCode: 3, status: 503, retryAfterMs: 2000 },
  moved: { reasonCode: 0x9d, returnCode: 5, status: 421, retryAfterMs: null },
  use_another: { reasonCode: 0x9c, returnCode: 5, status: 421, retryAfterMs: null },
  resolve_first: { reasonCode: 0x87, returnCode: 5, status: 421, retryAfterMs: null },
};
