import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "#schema/http/log.ts";
import type { Pace, Syncer } from "./sync-loop.ts";

/** Lets something that has to be said shorten the wait before the next step. */
export type Bell = { ring(): void /** Resolves at the next ring, or at once when it rang since the last wait. */; heard(): Promise<void> };

export const createBell = (): Bell => {
  let rung = Promise.withResolvers<void>();
  return {
    ring: () => rung.resolve(),
    async heard() {
      await rung.promise;
      rung = Promise.withResolvers<void>();
    },
  };
};

export type RunOptions = {
  readonly usualMs: number;
  /** The longest wait after failures. */
  readonly retryMs: number;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly onPace: (pace: Pace) => void;
  readonly bell: Bell;
};

const FIRST_RETRY_MS = 500;
/** Ten steps a second at most, however much there is to say. */
const LEAST_MS = 100;

/** Steps for ever: at once while more waits, at a fixed pace when not, with full jitter and exponential bound after failures. */
export const runLoop = async (syncer: Syncer, { usualMs, retryMs, signal, logger, onPace, bell }: RunOptions): Promise<void> => {
  let failures = 0;
  while (!signal.aborted) {
    const pace = await syncer.step().catch((error: unknown) => {
      logger.error("sync failed", { error });
      return "failed" as const;
    });
    onPace(pace);
    failures = pace === "failed" ? failures + 1 : 0;
    const bound = Math.min(retryMs, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10));
    const pause = (ms: number) => sleep(Math.max(0, ms), undefined, { signal }).catch(() => undefined);
    if (pace === "at_once") await pause(0);
    else if (pace === "failed") await pause(Math.random() * bound);
    else {
      await pause(LEAST_MS);
      await Promise.race([pause(Math.min(usualMs, syncer.usualMs()) - LEAST_MS), bell.heard()]);
    }
  }
};
