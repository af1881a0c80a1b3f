import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { answerOf, T0 } from "./answer-factory.ts";
import { type ClientEvent, type ClientState, INITIAL_STATE, type Refused, type Step } from "./client-state.ts";
import { MEANINGS } from "./meaning.ts";
import { MAX_HOPS, nextStep, SETTLED_MS } from "./next-step.ts";

const A = "mqtt://a.cells.test:1883";
const B = "mqtt://b.cells.test:1883";
const C = "mqtt://c.cells.test:1883";

const refusedWith = (changes: Partial<Refused>): Refused => ({
  ...{ kind: "refused", meaning: "elsewhere", reference: null, retryAfterMs: null },
  ...changes,
});

/** Plays events one after another at the given time. */
const play = (events: readonly ClientEvent[], from: ClientState = INITIAL_STATE, nowMs = T0) =>
  events.reduce<{ state: ClientState; step: Step }>(({ state }, event) => nextStep(state, event, nowMs), {
    state: from,
    step: { kind: "none" },
  });

const resolved: ClientEvent = { kind: "resolved", answer: answerOf() };
const connecting = play([{ kind: "start" }, resolved]).state;
const connected = play([{ kind: "connected" }], connecting).state;

type Row = readonly [guarantee: string, from: ClientState, events: readonly ClientEvent[], step: Record<string, unknown>];
const connect = (url: string, credential = "ticket") => ({ kind: "connect", url, credential });
const resolve = (minEpoch: number | null) => ({ kind: "resolve", minEpoch });

const ROWS: readonly Row[] = [
  ["a new vehicle asks the edge", INITIAL_STATE, [{ kind: "start" }], resolve(null)],
  ["a fresh cached answer needs no edge", connecting, [{ kind: "start" }], connect(A)],
  ["an answer is followed with its ticket", INITIAL_STATE, [resolved], connect(A)],
  ["a connection to the cell asked for nothing more", connecting, [{ kind: "connected" }], { kind: "none" }],
  ["I5: a reference is followed", connecting, [refusedWith({ reference: C })], connect(C)],
  ["I5: a reference mid-session is followed", connected, [refusedWith({ reference: C })], connect(C)],
  ["I5: no reference: resolve past the cached epoch", connecting, [refusedWith({})], resolve(4)],
  ["I5: a host off the list: resolve", connecting, [refusedWith({ reference: "mqtt://evil-cells.test" })], resolve(4)],
  ["I5: 3.1.1 code 5: resolve past the cached epoch", connecting, [refusedWith({ meaning: "resolve" })], resolve(4)],
  ["a refused ticket: the device credential", connecting, [refusedWith({ meaning: "credential" })], connect(A, "device")],
  [
    "both credentials refused: the edge",
    connecting,
    [refusedWith({ meaning: "credential" }), refusedWith({ meaning: "credential" })],
    resolve(null),
  ],
  ["a busy cell: the same cell later", connecting, [refusedWith({ meaning: "busy" })], connect(A)],
  ["a wrong identity: the edge", connecting, [refusedWith({ meaning: "identity" })], resolve(null)],
  ["an unreachable cell: its standby", connecting, [{ kind: "unreachable" }], connect(B)],
  ["an unreachable standby: the edge", connecting, [{ kind: "unreachable" }, { kind: "unreachable" }], resolve(null)],
  ["I4: the edge away: the cached cell", connecting, [{ kind: "resolve_failed", retryAfterMs: null }], connect(A)],
  ["the edge away and nothing cached: the edge again", INITIAL_STATE, [{ kind: "resolve_failed", retryAfterMs: null }], resolve(null)],
  ["I4: a lost connection: the same cell", connected, [{ kind: "lost" }], connect(A)],
  ["an unknown command key: the edge, beside the connection", connected, [{ kind: "unknown_key" }], resolve(null)],
  ["a connection by reference: newer keys", connecting, [refusedWith({ reference: C }), { kind: "connected" }], resolve(4)],
  ["a connection to the standby: its keys are known", connecting, [{ kind: "unreachable" }, { kind: "connected" }], { kind: "none" }],
];

describe("nextStep", () => {
  test.each(ROWS)("%s", (_, from, events, step) => {
    expect(play(events, from).step).toMatchObject(step);
  });

  test("I4: an expired ticket gives way to the device credential", () => {
    const later = Date.parse(answerOf().expiresAt);
    expect(play([{ kind: "resolve_failed", retryAfterMs: null }], connecting, later).step).toMatchObject(connect(A, "device"));
  });

  test("a cached answer past its ttl is asked for again", () => {
    expect(play([{ kind: "lost" }], connected, T0 + 300_000).step).toMatchObject(resolve(null));
  });

  test("I5: at most three references are followed between two answers", () => {
    const hop = refusedWith({ reference: C });
    expect(play(Array(MAX_HOPS).fill(hop), connecting).step).toMatchObject(connect(C));
    expect(play(Array(MAX_HOPS + 1).fill(hop), connecting).step).toMatchObject(resolve(4));
  });

  test("hops and failures are forgotten once a connection has settled", () => {
    const worn = { ...connected, hops: MAX_HOPS, failures: 5 };
    const { state } = play([refusedWith({ reference: C })], worn, T0 + SETTLED_MS);
    expect(state).toMatchObject({ hops: 1, failures: 1, target: C });
  });

  test("I11: a busy cell is left after four refusals in a row", () => {
    const busy = refusedWith({ meaning: "busy" });
    expect(play([busy, busy, busy], connecting).step).toMatchObject(connect(A));
    expect(play([busy, busy, busy, busy], connecting).step).toMatchObject(resolve(null));
  });

  test("I11: the edge is not called before its Retry-After, whatever happens meanwhile", () => {
    const { step } = play([{ kind: "resolve_failed", retryAfterMs: 30_000 }, { kind: "unreachable" }, { kind: "unreachable" }], connecting);
    expect(step).toMatchObject({ ...resolve(null), wait: { atLeastMs: 30_000 } });
  });

  test("a refresh that names the connected cell ends the refreshing", () => {
    const moved = play([refusedWith({ reference: C }), { kind: "connected" }], connecting).state;
    const answer = answerOf({ cell: "cell-c", epoch: 4, endpoints: { mqtt: C, mqttWs: null, https: "https://c.cells.test" } });
    expect(play([{ kind: "resolved", answer }], moved).step).toEqual({ kind: "none" });
    expect(play([resolved], moved).step).toMatchObject(resolve(4));
  });
});

const anyReference = fc.constantFrom(null, A, B, C, "c.cells.test:1883", "mqtt://evil.test", "mqtt://evil-cells.test", "nonsense");
const anyEvent: fc.Arbitrary<ClientEvent> = fc.oneof(
  fc.constantFrom<ClientEvent>(
    { kind: "start" },
    { kind: "connected" },
    { kind: "unreachable" },
    { kind: "lost" },
    { kind: "unknown_key" },
  ),
  fc.integer({ min: 1, max: 9 }).map((epoch): ClientEvent => ({ kind: "resolved", answer: answerOf({ epoch }) })),
  fc.record({ kind: fc.constant("resolve_failed" as const), retryAfterMs: fc.option(fc.nat(60_000)) }),
  fc.record({
    kind: fc.constant("refused" as const),
    meaning: fc.constantFrom(...MEANINGS),
    reference: anyReference,
    retryAfterMs: fc.option(fc.nat(60_000)),
  }),
);

/** Every event in order, with the state and step after it. */
const history = (events: readonly ClientEvent[]) => {
  let state = INITIAL_STATE;
  return events.map((event) => {
    const next = nextStep(state, event, T0);
    state = next.state;
    return { event, ...next };
  });
};

describe("nextStep, for every history", () => {
  const forAll = (check: (past: ReturnType<typeof history>) => void) =>
    fc.assert(fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => check(history(events))));

  test("I5: only allow-listed hosts are connected to", () => {
    forAll((past) => {
      const urls = past.flatMap(({ step }) => (step.kind === "connect" ? [new URL(step.url).hostname] : []));
      for (const host of urls) expect(host.endsWith(".cells.test")).toBe(true);
    });
  });

  test("a vehicle that is not connected always has something to do next", () => {
    forAll((past) => {
      for (const { state, step } of past) expect(state.isConnected || step.kind !== "none").toBe(true);
    });
  });

  test("I11: a refusal's retry-after is waited out", () => {
    forAll((past) => {
      for (const { event, step } of past) {
        if (event.kind !== "refused" || event.retryAfterMs === null || step.kind === "none") continue;
        expect(step.wait.atLeastMs).toBeGreaterThanOrEqual(event.retryAfterMs);
      }
    });
  });

  test("I5: references followed never exceed three without an answer or a fall-back between", () => {
    forAll((past) => {
      for (const { state } of past) expect(state.hops).toBeLessThanOrEqual(MAX_HOPS);
    });
  });
});
