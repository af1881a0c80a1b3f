import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RuleSet } from "#schema/api/rules.ts";
import { signOperatorToken } from "#schema/crypto/operator-token.ts";
import { newFolder, removeFolder, SELF, startTestCell, type TestCell, until, untilReady } from "../support/cell.ts";
import { type Control, OPERATOR_ISSUER, startControl } from "../support/control.ts";
import { connectPacketOf, connectRaw } from "../support/mqtt.ts";
import { newVehicle, ownerTokenFor, type TestVehicle, ticketFor } from "../support/vehicles.ts";
import { ruleOf } from "./support/rules.ts";

type OperatorRole = Parameters<typeof signOperatorToken>[1]["roles"][number];

let control: Control;
let folder: string;
let cell: TestCell;

beforeAll(async () => {
  control = await startControl();
  folder = await newFolder();
  cell = await startTestCell(control.url, folder);
  await untilReady(cell.http);
});
afterAll(async () => {
  await cell.stop();
  await control.stop();
  await removeFolder(folder);
});

const tokenFor = (role: OperatorRole) =>
  signOperatorToken(control.operator.key, { subject: "olga", issuer: OPERATOR_ISSUER, roles: [role], nowMs: Date.now() });

const call = async (method: string, path = "", options: { role?: OperatorRole; body?: object; etag?: string } = {}) =>
  fetch(`${cell.http}/v1/rules${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${await tokenFor(options.role ?? "admin")}`,
      ...(options.etag !== undefined && { "If-Match": options.etag }),
    },
    ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
  });

const putRules = async (...rules: readonly object[]): Promise<Response> => {
  const etag = (await call("GET")).headers.get("ETag") ?? "";
  return call("PUT", "", { body: { rules: rules.map(ruleOf) }, etag });
};

const connectVehicle = async () => {
  const vehicle = await newVehicle();
  const { client } = await connectRaw(
    cell.mqttPort,
    connectPacketOf(vehicle, 5, await ticketFor(control, vehicle, { cell: SELF, epoch: 1 })),
  );
  let messageId = 0;
  const publish = async (payload: object) => {
    messageId += 1;
    client.send({
      cmd: "publish",
      topic: `v1/${vehicle.vin}/telemetry`,
      payload: JSON.stringify(payload),
      qos: 1,
      messageId,
      dup: false,
      retain: false,
    });
    expect(await client.next("puback")).toMatchObject({ messageId });
  };
  return { vehicle, client, publish };
};

const metricOf = async (line: string): Promise<boolean> => (await (await fetch(`${cell.http}/metrics`)).text()).includes(line);

describe("a cell with rules", () => {
  test("orders a command when telemetry says so, once for one message", async () => {
    const filter = "data.cabinCelsius > 40";
    const rule = { id: "cool-down", filter, actions: [{ kind: "command", type: "climate.start", arguments: { celsius: "21" } }] };
    expect((await putRules(rule)).status).toBe(200);
    const { vehicle, client, publish } = await connectVehicle();
    client.send({ cmd: "subscribe", messageId: 9, subscriptions: [{ topic: `v1/${vehicle.vin}/commands`, qos: 1 }] });
    await client.next("suback");
    await publish({ id: "m1", cabinCelsius: 20 });
    await publish({ id: "m2", cabinCelsius: 45 });
    const command = await client.next("publish");
    const [, claims = ""] = String(command?.payload).split(".");
    expect(JSON.parse(Buffer.from(claims, "base64url").toString())).toMatchObject({ type: "climate.start", arguments: { celsius: 21 } });
    await publish({ id: "m2", cabinCelsius: 45 });
    await until(() => metricOf('cloverleaf_cell_rule_effects_total{rule="cool-down",outcome="done"} 2'));
    expect(client.packets.filter(({ cmd }) => cmd === "publish")).toHaveLength(1);
    client.destroy();
  });

  test("stores an event for what it noticed, and acknowledges as if no rule were there", async () => {
    await putRules(
      { id: "low-soc", filter: "data.soc < 10", actions: [{ kind: "event", type: "battery.low", data: { soc: "data.soc" } }] },
      { id: "broken", filter: "data.x.y.z" },
    );
    const { client, publish } = await connectVehicle();
    await publish({ soc: 5 });
    await until(() => metricOf('cloverleaf_cell_rule_effects_total{rule="low-soc",outcome="done"} 1'));
    expect(await metricOf('cloverleaf_cell_rule_messages_total{rule="broken",outcome="failed"} 1')).toBe(true);
    client.destroy();
  });

  test("keeps its rules over a restart", async () => {
    await putRules({ id: "kept" });
    await cell.stop();
    cell = await startTestCell(control.url, folder);
    await untilReady(cell.http);
    expect(RuleSet.parse(await (await call("GET")).json()).rules.map(({ id }) => id)).toEqual(["kept"]);
  });

  test("refuses actions that it cannot perform, when they are saved", async () => {
    const response = await putRules({ actions: [{ kind: "webhook", url: "https://hooks.example.com/" }] });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ errors: [{ pointer: "/rules/0/actions/0/kind" }] });
  });

  test("tries a rule on what a vehicle sent before", async () => {
    const { vehicle, client, publish } = await connectVehicle();
    for (const soc of [50, 9, 8]) await publish({ soc });
    const body = { rule: ruleOf({ filter: "data.soc < 10.0" }), vin: vehicle.vin };
    expect(await (await call("POST", "/dry-run", { role: "viewer", body })).json()).toMatchObject({ messages: 3, matched: 2 });
    client.destroy();
  });

  test("lets operators change rules, viewers read them, and owners neither", async () => {
    expect((await call("GET", "", { role: "viewer" })).status).toBe(200);
    expect((await call("PUT", "", { role: "viewer", body: { rules: [] }, etag: "x" })).status).toBe(403);
    const owner: TestVehicle = await newVehicle();
    const asOwner = await fetch(`${cell.http}/v1/rules`, { headers: { Authorization: `Bearer ${await ownerTokenFor(control, [owner])}` } });
    expect(asOwner.status).toBe(401);
    expect((await fetch(`${cell.http}/v1/rules`)).status).toBe(401);
  });
});
