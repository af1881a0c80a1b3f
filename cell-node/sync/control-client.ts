import { type ErrorCode, Problem } from "#schema/api/error.ts";
import { signAssertion } from "#schema/crypto/assertion.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Clock } from "../clock.ts";
import type { Identity } from "./identity.ts";

export type ControlAnswer =
  | { readonly kind: "ok"; readonly body: unknown; readonly sentAtMs: number; readonly receivedAtMs: number }
  | { readonly kind: "problem"; readonly status: number; readonly code: ErrorCode | null; readonly detail: string }
  | { readonly kind: "unreachable"; readonly cause: unknown };

export type ControlClient = { post(path: string, body: unknown): Promise<ControlAnswer> };

export type ControlClientOptions = {
  readonly urls: readonly string[];
  readonly cell: CellId;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly timeoutMs: number;
};

/** Answers of one control-worker after which another one may know better. */
const isOthersTurn = (answer: ControlAnswer): boolean =>
  answer.kind === "unreachable" || (answer.kind === "problem" && (answer.code === "not_the_writer" || answer.status >= 500));

/** Signed calls to control. Each call tries every URL at most once, beginning with the one that answered last, and mends the clock once. */
export const createControlClient = (options: ControlClientOptions): ControlClient => {
  const { urls, cell, identity, clock, timeoutMs } = options;
  let preferred = 0;

  const postTo = async (url: string, path: string, body: string, mayMendClock: boolean): Promise<ControlAnswer> => {
    const sentAtMs = clock.monotonicMs();
    try {
      const response = await fetch(`${url}${path}`, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          Authorization: `Bearer ${await signAssertion(identity.key, cell, clock.nowMs())}`,
        },
        body,
        signal: AbortSignal.timeout(timeoutMs),
        redirect: "error",
      });
      const receivedAtMs = clock.monotonicMs();
      const answer: unknown = await response.json();
      if (response.ok) return { kind: "ok", body: answer, sentAtMs, receivedAtMs };
      const problem = Problem.safeParse(answer).data;
      if (problem?.code === "clock_skew" && problem.now !== undefined && mayMendClock) {
        clock.correct(problem.now, sentAtMs, receivedAtMs);
        return postTo(url, path, body, false);
      }
      return { kind: "problem", status: response.status, code: problem?.code ?? null, detail: problem?.detail ?? "" };
    } catch (cause) {
      return { kind: "unreachable", cause };
    }
  };

  return {
    async post(path, body) {
      const text = JSON.stringify(body);
      let answer: ControlAnswer = { kind: "unreachable", cause: null };
      for (let i = 0; i < urls.length; i++) {
        const index = (preferred + i) % urls.length;
        answer = await postTo(urls[index] ?? "", path, text, true);
        if (isOthersTurn(answer)) continue;
        preferred = index;
        break;
      }
      return answer;
    },
  };
};
