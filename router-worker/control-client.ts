import { Problem } from "#schema/api/error.ts";
import { PlacementAnswer } from "#schema/api/vehicles.ts";
import type { RouteRecord } from "#schema/domain/route.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { Breaker, BreakerState } from "./breaker.ts";
import type { Clock } from "./clock.ts";
import type { ControlSettings } from "./settings.ts";

const PLACEMENT_REFUSALS = ["no_capacity", "no_cell_in_zone", "not_enrolled"] as const;
export type PlacementRefusal = (typeof PLACEMENT_REFUSALS)[number];

/** Control's word on one vehicle. `away`: nobody answered in time, or nobody could. */
export type PlacementVerdict =
  | { readonly kind: "answered"; readonly record: RouteRecord; readonly reason: "assigned" | "placed"; readonly rule: string | null }
  | { readonly kind: "refused"; readonly code: PlacementRefusal }
  | { readonly kind: "away" };

export type PlacementAsk = { readonly vin: Vin; readonly issuer: string; readonly traceparent: string | undefined };

export type ControlClient = {
  place(ask: PlacementAsk): Promise<PlacementVerdict>;
  /** The text of control's topology; null when control is away. */
  topologyText(): Promise<string | null>;
  states(): readonly { readonly target: string; readonly state: BreakerState }[];
};

/** One control-worker: a service binding, or an address over HTTPS. */
export type ControlTarget = {
  readonly name: string;
  readonly fetch: (request: Request) => Promise<Response>;
  readonly breaker: Breaker;
};

type Reply = { readonly status: number; readonly text: string };
type Call = { readonly path: string; readonly method: "GET" | "POST"; readonly body?: string; readonly traceparent: string | undefined };

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a body that is no JSON fits no schema
  }
};

const problemOf = (reply: Reply) => Problem.safeParse(parseJson(reply.text)).data;

const verdictOf = (reply: Reply): PlacementVerdict => {
  const answer = reply.status === 200 ? PlacementAnswer.safeParse(parseJson(reply.text)).data : undefined;
  if (answer !== undefined) {
    const { cell, epoch, reason, rule = null } = answer;
    return { kind: "answered", record: { cell, epoch }, reason, rule };
  }
  const code = PLACEMENT_REFUSALS.find((candidate) => candidate === problemOf(reply)?.code);
  return code === undefined ? { kind: "away" } : { kind: "refused", code };
};

/** Whether the target is fit: it answered, or refused with a reason of its own. */
const isFit = (reply: Reply): boolean => reply.status < 500 || verdictOf(reply).kind === "refused";

/**
 * Calls control: the target that answered last, then the other when the first cannot be reached or is not the writer. Each call is signed with the POP's key and
 * ends within its budget; a clock that control calls off is corrected and the call made once more.
 */
export const createControlClient = (options: {
  readonly targets: readonly ControlTarget[];
  readonly clock: Clock;
  readonly settings: ControlSettings;
  readonly sign: (nowMs: number) => Promise<string>;
  readonly onOutcome: (target: string, outcome: string) => void;
}): ControlClient => {
  const { clock, settings, onOutcome } = options;
  let targets = options.targets;
  let skewMs = 0;
  const leases = new Set<{ endsAtMs: number }>();

  const send = async (target: ControlTarget, call: Call, timeoutMs: number): Promise<Reply | null> => {
    const aborter = new AbortController();
    const cancel = clock.after(timeoutMs, () => aborter.abort());
    try {
      const request = new Request(`http://control${call.path}`, {
        method: call.method,
        headers: {
          Authorization: `Bearer ${await options.sign(clock.now() + skewMs)}`,
          ...(call.body !== undefined && { "Content-Type": "application/json" }),
          ...(call.traceparent !== undefined && { traceparent: call.traceparent }),
        },
        ...(call.body !== undefined && { body: call.body }),
        signal: aborter.signal,
      });
      const response = await target.fetch(request);
      return { status: response.status, text: await response.text() };
    } catch {
      return null; // unreachable or too slow: counted by the caller as the target's failure
    } finally {
      cancel();
    }
  };

  const attempt = async (target: ControlTarget, call: Call, timeoutMs: number): Promise<Reply | null> => {
    const reply = await send(target, call, timeoutMs);
    const problem = reply !== null && reply.status >= 400 ? problemOf(reply) : undefined;
    if (problem?.code === "clock_skew" && problem.now !== undefined) {
      const isNews = Math.abs(problem.now - clock.now() - skewMs) > 1_000;
      skewMs = problem.now - clock.now();
      if (isNews) return attempt(target, call, timeoutMs);
    }
    const isPassive = problem?.code === "not_the_writer";
    if (isPassive || (reply !== null && isFit(reply))) target.breaker.succeeded();
    else target.breaker.failed();
    onOutcome(target.name, reply === null ? "unreachable" : (problem?.code ?? String(reply.status)));
    return isPassive ? null : reply;
  };

  /** Bounds the calls in flight. A lease ends by itself, should the request that held it be cut off. */
  const lease = (budgetMs: number): { endsAtMs: number } | null => {
    const nowMs = clock.now();
    if (leases.size >= settings.maxInFlight) for (const old of leases) if (old.endsAtMs < nowMs) leases.delete(old);
    if (leases.size >= settings.maxInFlight) return null;
    const taken = { endsAtMs: nowMs + 2 * budgetMs };
    leases.add(taken);
    return taken;
  };

  const tryTargets = async (call: Call, budgetMs: number): Promise<Reply | null> => {
    const deadlineMs = clock.now() + budgetMs;
    let last: Reply | null = null;
    for (const [index, target] of targets.entries()) {
      const leftMs = deadlineMs - clock.now();
      if (leftMs <= 0) break;
      if (!target.breaker.permits()) continue;
      const isLast = index === targets.length - 1;
      const reply = await attempt(target, call, isLast ? leftMs : Math.min(leftMs, settings.firstAttemptMs));
      if (reply === null) continue;
      if (isFit(reply)) {
        targets = [target, ...targets.filter((other) => other !== target)];
        return reply;
      }
      last = reply;
    }
    return last;
  };

  const ask = async (call: Call, budgetMs: number): Promise<Reply | null> => {
    const taken = lease(budgetMs);
    if (taken === null) {
      onOutcome("none", "shed");
      return null;
    }
    const reply = await tryTargets(call, budgetMs);
    leases.delete(taken);
    return reply;
  };

  return {
    async place({ vin, issuer, traceparent }) {
      const reply = await ask(
        { path: "/v1/placements", method: "POST", body: JSON.stringify({ vin, issuer }), traceparent },
        settings.budgetMs,
      );
      return reply === null ? { kind: "away" } : verdictOf(reply);
    },
    async topologyText() {
      const reply = await ask({ path: "/v1/topology", method: "GET", traceparent: undefined }, settings.topologyTimeoutMs);
      return reply?.status === 200 ? reply.text : null;
    },
    states: () => options.targets.map(({ name, breaker }) => ({ target: name, state: breaker.state() })),
  };
};
