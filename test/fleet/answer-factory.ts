import { RouteAnswer } from "#schema/api/route.ts";

/** An edge's answer for tests; every member can be changed. */
export const answerOf = (changes: Readonly<Record<string, unknown>> = {}): RouteAnswer =>
  RouteAnswer.parse({
    cell: "cell-a",
    epoch: 3,
    endpoints: { mqtt: "mqtt://a.cells.test:1883", mqttWs: null, https: "https://a.cells.test" },
    standby: { cell: "cell-b", endpoints: { mqtt: "mqtt://b.cells.test:1883", mqttWs: null, https: "https://b.cells.test" } },
    ticket: "ticket",
    expiresAt: "2030-01-01T00:10:00.000Z",
    ttlSeconds: 300,
    topologyVersion: 1,
    reason: "assigned",
    allowedHosts: ["cells.test"],
    commandKeys: { keys: [] },
    ...changes,
  });

export const T0 = Date.parse("2030-01-01T00:00:00.000Z");
