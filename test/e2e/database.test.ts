import { afterAll, beforeAll, expect, test } from "vitest";
import { type Lab, startLab } from "./support/lab.ts";
import { until } from "./support/until.ts";
import { freshVin, freshVins } from "./support/vins.ts";
import { createWorld, problemOf, type World } from "./support/world.ts";

let lab: Lab;
let world: World;

beforeAll(async () => {
  lab = await startLab({ cells: 1 });
  world = await createWorld(lab.file);
});
afterAll(() => lab?.stop());

const untilPlaced = (vin = freshVin(), withinMs = 30_000) => until(`${vin} is placed`, withinMs, () => world.resolve(vin));

test("I7: sqld runs with strong durability, as its own configuration says", async () => {
  expect(await lab.readSqldConfig()).toMatchObject({ durability_mode: "strong" });
});

test("I4: with sqld killed the edge answers known vehicles and tells unknown ones when to come back; nothing is lost", async () => {
  const known = freshVins(20);
  const routes = await Promise.all(known.map((vin) => world.resolve(vin)));
  await Promise.all(known.map((vin) => until(`${vin} in KV`, 15_000, async () => lab.readRoute((await world.vehicle(vin)).vinKey))));

  await lab.process("sqld").kill();
  const answers = await Promise.all(known.map((vin) => world.resolve(vin)));
  expect(answers.map(({ cell, epoch }) => [cell, epoch])).toEqual(routes.map(({ cell, epoch }) => [cell, epoch]));
  const unknown = await world.ask(0, await world.deviceToken(freshVin()));
  expect(problemOf(unknown)).toMatchObject({ status: 503, retryable: true });
  expect(Number(unknown.headers.get("Retry-After"))).toBeGreaterThan(0);

  await lab.process("sqld").start();
  await untilPlaced();
  for (const [index, vin] of known.entries()) {
    const { cell, epoch } = await world.vehicle(vin);
    expect([cell, epoch], vin).toEqual([routes[index]?.cell, routes[index]?.epoch]);
  }
});

test("a wedged sqld is found by the write probe and restarted; placements go on", async () => {
  const wedged = lab.process("sqld").pid();
  await lab.process("sqld").freeze();
  await until("sqld runs under another process id", 60_000, () => lab.process("sqld").pid() !== wedged);
  await untilPlaced();
});

test("I3: when control dies between commit and publish, the record reaches KV after its restart", async () => {
  await lab.setKnobs({ writeErrors: 1 });
  const vin = freshVin();
  const { cell, epoch } = await untilPlaced(vin);
  const { vinKey } = await world.vehicle(vin);
  await lab.process("control").kill();
  expect(await lab.readRoute(vinKey)).toBeNull();
  await lab.setKnobs({ writeErrors: 0 });
  await lab.process("control").start();
  const record = await until("the record is in KV", 30_000, () => lab.readRoute(vinKey));
  expect(record).toEqual({ cell, epoch });
});
