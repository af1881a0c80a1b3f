import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RouteAnswer } from "#schema/api/route.ts";
import { topicOf } from "#schema/domain/topic.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { refused } from "./support/mqtt.ts";
import { isInstalled, run } from "./support/run.ts";
import { until } from "./support/until.ts";
import { freshVin } from "./support/vins.ts";
import { createWorld, type World } from "./support/world.ts";

let lab: Lab;
let world: World;

beforeAll(async () => {
  lab = await startLab();
  world = await createWorld(lab.file);
});
afterAll(() => lab?.stop());

test("I7, I9: npm run fleet: 100 vehicles resolve, connect and publish; what was acknowledged is stored once, no bad command is executed", async () => {
  const { status, output } = await run("npm", ["run", "fleet", "--", "--vehicles", "100", "--seconds", "5", "--data", lab.dataDir]);
  expect(output).toContain("passed");
  expect(status, output).toBe(0);
});

test("npm run token prints credentials that edge and cell take", async () => {
  const vin = freshVin();
  const { output } = await run("npm", ["run", "--silent", "token", "--", "--vin", vin, "--data", lab.dataDir]);
  expect(await world.ask(0, output.trim())).toMatchObject({ status: 200 });
  const { cell } = await world.resolve(vin);
  await world.untilSynced(vin, cell);
  const owner = await run("npm", ["run", "--silent", "token", "--", "--owner", "--vin", vin, "--data", lab.dataDir]);
  const headers = { Authorization: `Bearer ${owner.output.trim()}` };
  const response = await fetch(`${world.cellOf(cell).http}/v1/vehicles/${vin}/telemetry`, { headers });
  expect(response.status).toBe(200);
});

test("GET /v1/connect leads to the cell by a 307 that no cache keeps, with a ticket", async () => {
  const vin = freshVin();
  const { endpoints } = await world.resolve(vin);
  const headers = { Authorization: `Bearer ${await world.deviceToken(vin)}` };
  const response = await fetch(`${world.file.routers[0]}/v1/connect`, { headers, redirect: "manual" });
  expect(response.status).toBe(307);
  expect(response.headers.get("Location")).toContain(new URL(endpoints.https).host);
  expect(response.headers.get("Cloverleaf-Ticket")).toMatch(/^ey/);
  expect(response.headers.get("Cache-Control")).toMatch(/no-store|private/);
});

const MOSQUITTO = "mosquitto_pub";
const hasMosquitto = isInstalled(MOSQUITTO);
const missing = hasMosquitto ? "" : " (skipped: mosquitto_pub is not installed, see apt-get install mosquitto-clients)";

describe.runIf(hasMosquitto)(`stock clients: mosquitto_pub${missing}`, () => {
  let vin: Vin;
  let route: RouteAnswer;

  beforeAll(async () => {
    vin = freshVin();
    route = await world.resolve(vin);
  });

  const publish = (version: "5" | "311", cell: string, id: string) => {
    const { hostname, port } = new URL(world.cellOf(cell).mqtt);
    const target = ["-h", hostname, "-p", port, "-V", version];
    const identity = ["-i", vin, "-u", vin, "-P", route.ticket];
    return run(MOSQUITTO, [...target, ...identity, "-q", "1", "-t", topicOf(vin, "telemetry"), "-m", JSON.stringify({ id })]);
  };

  const wrongCell = () => world.file.cells.find(({ id }) => id !== route.cell)?.id ?? "";

  test.each(["5", "311"] as const)(
    "I7: -V %s with user name, client id and ticket is admitted at the right cell and its message stored",
    async (version) => {
      const { status, output } = await publish(version, route.cell, `mosquitto-${version}`);
      expect([status, output]).toEqual([0, ""]);
      const ids = await until("the cell knows the vehicle", 10_000, () => world.stored(vin, route.cell));
      expect(ids).toContain(`mosquitto-${version}`);
    },
  );

  test.each([
    ["5", /use another server|server moved/i],
    ["311", /not authori[sz]ed/i],
  ] as const)("I5: -V %s is turned away at the wrong cell", async (version, answer) => {
    expect((await publish(version, wrongCell(), "astray")).output).toMatch(answer);
  });

  test("the README's tour works when pasted as it stands", async () => {
    const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
    const tour = /## Two-minute tour[\s\S]*?```sh\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    const ports = [
      ["8787", world.file.router],
      ...world.file.cells.map(({ mqtt }, index) => [String(1884 + index), mqtt] as const),
    ] as const;
    const here = ports.reduce((text, [usual, url]) => text.replaceAll(usual, new URL(url).port), tour);
    const { output } = await run("bash", ["-c", `export LAB_DATA=${lab.dataDir}\n${here}`]);
    expect(tour).toContain("mosquitto_sub");
    expect(output).toMatch(/"ticket":"ey/);
    expect(output).toMatch(/use another server/i);
    expect(output).toContain('"speed":81');
    expect(output).toMatch(/^ey[\w-]+\.[\w-]+\.[\w-]+$/m);
    expect(output).toContain('"state":"succeeded"');
  });

  test("I5: what -V 5 is told there is a Server Reference to the right cell", async () => {
    const refusal = await refused({ url: world.cellOf(wrongCell()).mqtt, vin, password: route.ticket });
    expect([0x9c, 0x9d]).toContain(refusal.code);
    expect(refusal.reference).toContain(new URL(world.cellOf(route.cell).mqtt).host);
  });
});
