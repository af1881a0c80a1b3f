import type { SigningKey } from "#schema/crypto/keys.ts";
import { signPeerToken } from "#schema/crypto/peer-token.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { World } from "../admission/world.ts";
import type { Clock } from "../clock.ts";

/** The answer of another cell; null when it cannot be reached. */
export type PeerAnswer = { readonly status: number; readonly body: unknown } | null;

/** Signed calls to another cell, each with a time limit and tried once: whoever calls comes back in a moment anyway. */
export type PeerClient = (cell: CellId, path: string, body: unknown) => Promise<PeerAnswer>;

const TIMEOUT_MS = 5_000;

export const createPeerClient =
  (self: CellId, key: SigningKey, world: () => World, clock: Clock): PeerClient =>
  async (cell, path, body) => {
    const endpoint = world().endpointsOf(cell)?.https;
    if (endpoint === undefined) return null;
    try {
      const response = await fetch(`${endpoint}${path}`, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          Authorization: `Bearer ${await signPeerToken(key, self, cell, clock.nowMs())}`,
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        redirect: "error",
      });
      return { status: response.status, body: await response.json() };
    } catch {
      // Away, or cut short: the same to the caller, who tries again at its own pace.
      return null;
    }
  };
