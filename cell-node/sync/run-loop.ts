import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "#schema/http/log.ts";
import type { Pace, Syncer } from "./sync-loop.ts";

export type RunOptions = {
  readonly usualMs: number;
  /** The longest wait after failures. */
  readonly retryMs: number;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly onPace: (pace: Pace) => void;
};

const FIRST_RETRY_MS = 500;

/** Steps for ever: at once while more waits, at a fixed pace when not, with full jitter and exponential bound after failures. */
export const runLoop = async (syncer: Syncer, { usualMs, retryMs, signal, logger, onPace }: RunOptions): Promise<void> => {
  let failures = 0;
  while (!signal.aborted) {
    const pace = await syncer.step().catch((error: unknown) => {
      logger.error("sync failed", { error });
      return "failed" as const;
    });
    onPace(pace);
    failures = pace === "failed" ? failures + 1 : 0;
    const bound = Math.min(retryMs, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10));
    const wait = pace === "at_once" ? 0 : pace === "usual" ? usualMs : Math.random() * bound;
    await sleep(wait, undefined, { signal }).catch(() => undefined);
  }
};
