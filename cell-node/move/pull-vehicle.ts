import { setTimeout as sleep } from "node:timers/promises";
import { VehicleBundle } from "#schema/api/vehicle-bundle.ts";
import type { SigningKey } from "#schema/crypto/keys.ts";
import { signPullToken } from "#schema/crypto/pull-token.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import type { Clock } from "../clock.ts";

export type PullContext = { readonly self: CellId; readonly key: SigningKey; readonly clock: Clock; readonly timeoutMs: number };
export type PullRequest = { readonly source: CellId; readonly endpoint: string; readonly moveId: string; readonly vinKey: VinKey };

/** About ten seconds in all: a source that restarts is back by then, and the lock holds meanwhile. */
const ATTEMPTS = 9;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 3_000;

/** 401: the source may not have heard of this cell's key yet; its next sync brings it. */
const isWorthRetrying = (status: number): boolean => status >= 500 || status === 429 || status === 401;

/** One try: the bundle, `refused` when the source will not give it, `failed` when trying again may help. */
const pullOnce = async (
  { self, key, clock, timeoutMs }: PullContext,
  { source, endpoint, moveId, vinKey }: PullRequest,
): Promise<VehicleBundle | "refused" | "failed"> => {
  try {
    const token = await signPullToken(key, { target: self, source, moveId, vinKey }, clock.nowMs());
    const response = await fetch(`${endpoint}/v1/moves/${encodeURIComponent(moveId)}/vehicle`, {
      headers: { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(timeoutMs),
      redirect: "error",
    });
    if (!response.ok) return isWorthRetrying(response.status) ? "failed" : "refused";
    return VehicleBundle.safeParse(await response.json()).data ?? "refused";
  } catch {
    // A source that is away for a moment and an answer cut short look the same: both are asked again.
    return "failed";
  }
};

/** Fetches a locked vehicle from its source; null when that did not succeed. */
export const pullVehicle = async (context: PullContext, request: PullRequest): Promise<VehicleBundle | null> => {
  for (let attempt = 1; ; attempt++) {
    const answer = await pullOnce(context, request);
    if (answer !== "failed") return answer === "refused" ? null : answer;
    if (attempt === ATTEMPTS) return null;
    await sleep(Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt));
  }
};
