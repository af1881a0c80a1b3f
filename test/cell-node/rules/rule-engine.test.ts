import { describe, expect, test } from "vitest";
import { AppError } from "#schema/api/error.ts";
import { type RuleSet, RuleSet as RuleSetSchema } from "#schema/api/rules.ts";
import { createLogger } from "#schema/http/log.ts";
import { compileRules, createRuleEngine } from "../../../cell-node/rules/rule-engine.ts";
import { createRecorder, messageOf, NOON, ruleOf, SECOND } from "./support/rules.ts";

const setOf = (...rules: readonly object[]): RuleSet => RuleSetSchema.parse({ rules: rules.map(ruleOf) });

const createEngineWith = (elapsedMs: () => number, ...rules: readonly object[]) => {
  const recorder = createRecorder();
  const logger = createLogger("test", "error", () => undefined);
  const engine = createRuleEngine({ ports: recorder.ports, logger, maxVehicles: 3, elapsedMs });
  engine.replace(compileRules(setOf(...rules)));
  return { engine, ...recorder };
};
const createEngine = (...rules: readonly object[]) => createEngineWith(() => 0, ...rules);

const countsOf = (engine: ReturnType<typeof createEngine>["engine"], id = "a-rule") =>
  engine.reports().find((report) => report.id === id)?.counts;

describe("the engine", () => {
  test("performs every kind of action, each with the values and an id that the message gives it", async () => {
    const actions = [
      { kind: "event", type: "test.event", data: { soc: "data.soc" } },
      { kind: "twin", desired: { mode: "'eco'" } },
      { kind: "mqtt", topic: "low-soc", data: { soc: "data.soc" } },
      { kind: "webhook", url: "https://hooks.example.com/x", data: {} },
      { kind: "centre", type: "test.centre" },
    ];
    const { engine, calls } = createEngine(
      { actions },
      { id: "orders", actions: [{ kind: "command", type: "climate.off", arguments: { zone: "1" } }] },
    );
    const message = messageOf({ soc: 7 });
    engine.take(message);
    engine.take(message);
    await engine.idle();
    expect(calls).toHaveLength(12);
    expect(calls.slice(0, 6)).toMatchObject([
      {
        port: "storeEvent",
        args: [{ vinKey: "vin-key-1" }, { type: "test.event", source: "rules/a-rule", subject: "vin-key-1", data: { soc: 7 } }],
      },
      { port: "patchTwin", args: [{}, { mode: "eco" }] },
      { port: "publish", args: ["rules/low-soc", { data: { soc: 7 } }] },
      { port: "postWebhook", args: ["https://hooks.example.com/x", { specversion: "1.0" }] },
      { port: "sendToCentre", args: [{}, { type: "test.centre" }] },
      { port: "order", args: [{}, { type: "climate.off", arguments: { zone: 1 }, expiresInSeconds: 60 }] },
    ]);
    expect(calls.slice(6)).toEqual(calls.slice(0, 6));
    expect(JSON.stringify(calls[0]?.args[1])).not.toContain("WVWZZZ1JZXW000001");
  });

  test("hears the channels that its rules name, and no others", async () => {
    const { engine, calls } = createEngine({ on: ["events"] });
    expect([engine.listensTo("events"), engine.listensTo("telemetry")]).toEqual([true, false]);
    engine.take(messageOf({}));
    engine.take(messageOf({}, 0, { channel: "events" }));
    await engine.idle();
    expect(calls).toHaveLength(1);
  });

  test("a rule that fails never stops the others, and its failures are counted and named", async () => {
    const { engine, calls } = createEngine({ id: "broken", filter: "data.nothing.size() > 1" }, { id: "sound" });
    engine.take(messageOf({}));
    await engine.idle();
    expect(calls).toHaveLength(1);
    expect(engine.reports()).toMatchObject([
      { id: "broken", counts: { failed: 1 }, lastFailure: expect.stringContaining("data.nothing") },
      { id: "sound", counts: { fired: 1 }, effects: { done: 1 } },
    ]);
  });

  test("an effect that fails is counted; the flow goes on", async () => {
    const { engine, ports } = createEngine({});
    ports.storeEvent = () => Promise.reject(new Error("disk full"));
    engine.take(messageOf({}));
    engine.take(messageOf({}));
    await engine.idle();
    expect(engine.reports()).toMatchObject([{ effects: { done: 0, failed: 2 } }]);
  });

  test("a slow port holds nobody up: what cannot wait is dropped and counted", () => {
    const { engine, ports } = createEngine({});
    ports.storeEvent = () => new Promise(() => undefined);
    for (let i = 0; i < 10_100; i++) engine.take(messageOf({}));
    expect(engine.reports()).toMatchObject([{ counts: { fired: 10_100 }, effects: { dropped: 100 } }]);
  });

  test("rules are replaced while messages flow: an unchanged one remembers, a changed one starts anew, a faulty set changes nothing", () => {
    const kept = { id: "kept", window: { kind: "count", seconds: 60, atLeast: 2 } };
    const changed = { ...kept, id: "changed" };
    const { engine } = createEngine(kept, changed);
    engine.take(messageOf({}));
    expect(() => engine.replace(compileRules(setOf(kept, { filter: "data." })))).toThrow(AppError);
    engine.replace(compileRules(setOf({ ...changed, description: "anew" }, kept)));
    engine.take(messageOf({}, SECOND));
    expect(countsOf(engine, "kept")).toMatchObject({ matched: 1, fired: 1 });
    expect(countsOf(engine, "changed")).toMatchObject({ matched: 1, fired: 0 });
    engine.replace(compileRules(setOf({ ...kept, isEnabled: false })));
    expect(engine.listensTo("telemetry")).toBe(false);
  });

  test("all faults of a set are told at once, with their places", () => {
    const faulty = setOf({ id: "one", filter: "data." }, { id: "one", derive: { x: "nobody" } });
    expect(() => compileRules(faulty)).toThrow(
      expect.objectContaining({
        code: "validation_failed",
        options: expect.objectContaining({
          errors: ["/rules/0/filter", "/rules/1/id", "/rules/1/derive/x"].map((pointer) => expect.objectContaining({ pointer })),
        }),
      }),
    );
  });

  test("a rule that uses up its time waits until it has earned some, and others do not wait with it", () => {
    let readings = 0;
    const eachTakes150Ms = () => 150 * readings++;
    const heavy = { id: "heavy", filter: "data.l.exists(x, x > data.limit)" };
    const { engine } = createEngineWith(eachTakes150Ms, heavy, { id: "light", filter: "data.n > 0" });
    const take = (afterMs: number) => engine.take(messageOf({ l: [1], limit: 2, n: 0 }, afterMs));
    take(0);
    take(1);
    take(2);
    expect(countsOf(engine, "heavy")).toMatchObject({ passed_by: 2, throttled: 1 });
    take(10_000);
    expect(countsOf(engine, "heavy")).toMatchObject({ passed_by: 3, throttled: 1 });
    expect(countsOf(engine, "light")).toMatchObject({ passed_by: 4, throttled: 0 });
  });

  test("a rule that takes too long three times is suspended, longer each time", () => {
    const { engine } = createEngine({ filter: "data.text.matches('^(a+)+$')" });
    const hostile = (afterMs: number) => engine.take(messageOf({ text: `${"a".repeat(40)}b` }, afterMs));
    for (let i = 0; i < 4; i++) hostile(i);
    expect(countsOf(engine)).toMatchObject({ timeout: 3, suspended: 1 });
    for (let i = 0; i < 4; i++) hostile(70_000 + i);
    expect(countsOf(engine)).toMatchObject({ timeout: 6, suspended: 2 });
    hostile(140_000);
    expect(countsOf(engine)).toMatchObject({ timeout: 6, suspended: 3 });
  }, 20_000);

  test("absence is noticed by the clock, for each vehicle on its own; a vehicle that left is forgotten", async () => {
    const { engine, calls } = createEngine({ window: { kind: "absence", seconds: 10 } });
    for (const [index, vinKey] of ["one", "two", "gone"].entries()) engine.take(messageOf({}, index * SECOND, { vinKey }));
    engine.forget("gone");
    engine.tick(NOON + 10_500);
    engine.tick(NOON + 10_600);
    await engine.idle();
    expect(calls).toMatchObject([{ args: [{ vinKey: "one" }, { type: "test.fired" }] }]);
    engine.tick(NOON + 60_000);
    await engine.idle();
    expect(calls.map(({ args }) => (args[0] as { vinKey: string }).vinKey)).toEqual(["one", "two"]);
  });

  test("what a rule remembers is bounded: the vehicle not heard of for longest goes first", () => {
    const { engine } = createEngine({ window: { kind: "count", seconds: 60, atLeast: 2 } });
    for (const vinKey of ["a", "b", "c", "d"]) engine.take(messageOf({}, 0, { vinKey }));
    engine.take(messageOf({}, SECOND, { vinKey: "a" }));
    engine.take(messageOf({}, SECOND, { vinKey: "d" }));
    expect(countsOf(engine)).toMatchObject({ matched: 5, fired: 1 });
  });
});
