import { MIN_EPOCH_HEADER, RouteAnswer } from "#schema/api/route.ts";
import { parseRetryAfter } from "./jitter.ts";

export type Resolution =
  | { readonly kind: "resolved"; readonly answer: RouteAnswer }
  | { readonly kind: "resolve_failed"; readonly retryAfterMs: number | null; readonly detail: string };

type Attempt = Resolution | { readonly kind: "try_next"; readonly detail: string };

const TIMEOUT_MS = 5000;

const readAnswer = async (response: Response, nowMs: number): Promise<Attempt> => {
  const retryAfterMs = parseRetryAfter(response.headers.get("Retry-After"), nowMs);
  const body = await response.text();
  if (response.ok) return { kind: "resolved", answer: RouteAnswer.parse(JSON.parse(body)) };
  const detail = `${response.status} ${body.slice(0, 200)}`;
  return response.status >= 500 && retryAfterMs === null ? { kind: "try_next", detail } : { kind: "resolve_failed", retryAfterMs, detail };
};

const ask = async (router: string, token: string, minEpoch: number | null, nowMs: number): Promise<Attempt> => {
  const headers = { Authorization: `Bearer ${token}`, ...(minEpoch !== null && { [MIN_EPOCH_HEADER]: String(minEpoch) }) };
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    return await readAnswer(await fetch(`${router}/v1/route`, { headers, signal, redirect: "error" }), nowMs);
  } catch (error) {
    return { kind: "try_next", detail: `${router}: ${error instanceof Error ? error.message : String(error)}` };
  }
};

/** Asks one edge location after another, beginning with `first`; one that says when to come back ends the round. */
export const resolveAtEdge = async (
  routers: readonly string[],
  request: { readonly token: string; readonly minEpoch: number | null; readonly nowMs: number; readonly first: number },
): Promise<Resolution> => {
  const failed: string[] = [];
  for (let i = 0; i < routers.length; i++) {
    const router = routers[(request.first + i) % routers.length] ?? "";
    const attempt = await ask(router, request.token, request.minEpoch, request.nowMs);
    if (attempt.kind !== "try_next") return attempt;
    failed.push(attempt.detail);
  }
  return { kind: "resolve_failed", retryAfterMs: null, detail: failed.join("; ") };
};
