import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mayPublish, maySubscribe, parseTopic, resultTopicOf, topicOf } from "#schema/domain/topic.ts";
import { vin } from "./samples.ts";

const OWN = vin("WVWZZZ1JZ3W386752");
const OTHER = vin("WVWZZZ1JZ3W386753");
const ID = "5d7b6c1e-0000-4000-8000-000000000001";

type Right = "publish" | "subscribe" | "nothing";
const rightOn = (topic: string): Right => (mayPublish(OWN, topic) ? "publish" : maySubscribe(OWN, topic) ? "subscribe" : "nothing");

describe("I8: a vehicle reaches its own topics only, each in its own direction", () => {
  test.each<readonly [string, Right]>([
    [`v1/${OWN}/telemetry`, "publish"],
    [`v1/${OWN}/events`, "publish"],
    [`v1/${OWN}/twin/reported`, "publish"],
    [`v1/${OWN}/commands/${ID}/result`, "publish"],
    [`v1/${OWN}/twin/desired`, "subscribe"],
    [`v1/${OWN}/commands`, "subscribe"],
    [`v1/${OWN}/session`, "subscribe"],
    [`v1/${OTHER}/telemetry`, "nothing"],
    [`v1/${OTHER}/commands`, "nothing"],
    [`v1/${OTHER}/commands/${ID}/result`, "nothing"],
    [`v1/${OWN}/#`, "nothing"],
    [`v1/${OWN}/+`, "nothing"],
    [`v1/${OWN}/commands/+/result`, "nothing"],
    [`v1/${OWN}/commands/#`, "nothing"],
    ["v1/+/telemetry", "nothing"],
    ["#", "nothing"],
    ["+/+/+", "nothing"],
    [`$share/group/v1/${OWN}/commands`, "nothing"],
    ["$SYS/broker/clients", "nothing"],
    ["$SYS/#", "nothing"],
    [`/v1/${OWN}/telemetry`, "nothing"],
    [`v1/${OWN}/telemetry/`, "nothing"],
    [`v1/${OWN}//telemetry`, "nothing"],
    [`v1//${OWN}/telemetry`, "nothing"],
    [`v1/${OWN}/`, "nothing"],
    [`v1/${OWN}`, "nothing"],
    ["", "nothing"],
    [`v1/${OWN}/commands//result`, "nothing"],
    [`v1/${OWN}/commands/a/b/result`, "nothing"],
    [`v1/${OWN}/commands/${"a".repeat(64)}/result`, "publish"],
    [`v1/${OWN}/commands/${"a".repeat(65)}/result`, "nothing"],
    [`v1/${OWN}/commands/${ID}/results`, "nothing"],
    [`v1/${OWN.toLowerCase()}/telemetry`, "nothing"],
    [`V1/${OWN}/telemetry`, "nothing"],
    [`v1/${OWN}/Telemetry`, "nothing"],
    [`v2/${OWN}/telemetry`, "nothing"],
    [`v1/${OWN}/telemetry\n`, "nothing"],
    [`v1/${OWN}/telemetry\u0000`, "nothing"],
  ])("%j: %s", (topic, right) => {
    expect(rightOn(topic)).toBe(right);
  });

  test("no text at all opens another vehicle's topics, or a wildcard, or both directions", () => {
    const level = fc.constantFrom(
      "v1",
      OWN,
      OTHER,
      "telemetry",
      "commands",
      "twin",
      "desired",
      "result",
      "+",
      "#",
      "$share",
      "$SYS",
      "",
      "é",
      ID,
    );
    fc.assert(
      fc.property(fc.array(level, { maxLength: 6 }), (levels) => {
        const topic = levels.join("/");
        expect(mayPublish(OWN, topic) && maySubscribe(OWN, topic)).toBe(false);
        if (rightOn(topic) === "nothing") return;
        expect(levels.slice(0, 2)).toEqual(["v1", OWN]);
        expect(topic).not.toMatch(/[+#$]/);
      }),
      { numRuns: 10_000 },
    );
  });
});

test("the topics that the programs build are those that the rules read", () => {
  const channels = ["telemetry", "events", "commands", "session", "twin/reported", "twin/desired"] as const;
  expect(channels.map((channel) => parseTopic(OWN, topicOf(OWN, channel))?.channel)).toEqual([
    "telemetry",
    "events",
    "commands",
    "session",
    "twin-reported",
    "twin-desired",
  ]);
  expect(parseTopic(OWN, resultTopicOf(OWN, ID))).toEqual({ channel: "command-result", direction: "up", commandId: ID });
});
