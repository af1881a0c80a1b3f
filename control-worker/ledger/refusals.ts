import type { Refused } from "./port.ts";
import type { Commit } from "./writer.ts";

export type NotCommitted = Exclude<Commit, { kind: "committed" }>;

const REFUSALS = {
  lost: { code: "not_the_writer", detail: "another control-worker holds the writer's lease", retryAfterSeconds: 1 },
  unavailable: { code: "database_unavailable", detail: "the database cannot be reached right now", retryAfterSeconds: 2 },
  constraint: { code: "conflict", detail: "the resource has changed meanwhile", retryAfterSeconds: 1 },
  invalid: { code: "internal", detail: "the database did not understand the write", retryAfterSeconds: 1 },
  full: { code: "busy", detail: "too many writes are waiting", retryAfterSeconds: 1 },
  failed: { code: "busy", detail: "the write failed", retryAfterSeconds: 1 },
} as const satisfies Record<string, Omit<Refused, "kind">>;

export const refusalOf = (reason: keyof typeof REFUSALS): Refused => ({ kind: "refused", ...REFUSALS[reason] });

export const refusalFor = (commit: NotCommitted): Refused => refusalOf(commit.kind === "refused" ? commit.fault : commit.kind);
