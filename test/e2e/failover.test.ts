import { afterAll, beforeAll, expect, test } from "vitest";
import { Failover } from "#schema/api/failover.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { until } from "./support/until.ts";
import { freshVins } from "./support/vins.ts";
import { createWorld, type World } from "./support/world.ts";

let lab: Lab;
let world: World;
beforeAll(async () => {
  lab = await startLab({ cells: 4 });
  world = await createWorld(lab.file);
});
afterAll(() => lab?.stop());

const PAIRS: ReadonlyMap<string, string> = new Map(
  Object.entries({ "cell-eu-1": "cell-eu-2", "cell-eu-2": "cell-eu-1", "cell-cn-1": "cell-cn-2", "cell-cn-2": "cell-cn-1" }),
);

test("a cell killed with -9 is failed over to its standby within 15 s, the edge says so, and no assignment has changed", async () => {
  for (const [cell, standby] of PAIRS) {
    expect(await world.admin("PATCH", `/v1/cells/${cell}`, { standby })).toMatchObject({ status: 200 });
  }
  const [vin] = freshVins(1);
  if (vin === undefined) throw new Error("no vehicle");
  const { cell: owner, epoch } = await world.resolve(vin);
  const standby = PAIRS.get(owner);
  await lab.process(owner).kill();
  const failover = await until("the cell is failed over", 15_000, async () => {
    const answer = Failover.parse((await world.admin("GET", `/v1/cells/${owner}/failover`)).body);
    return answer.phase === "failed_over" ? answer : null;
  });
  expect(failover).toMatchObject({ term: 1, standby });
  await until("the edge sends the vehicle to the standby", 20_000, async () => (await world.resolve(vin)).cell === standby);
  expect((await world.admin("GET", `/v1/vehicles/${vin}`)).body).toMatchObject({ cell: owner, epoch });
  await lab.process(owner).start();
  await until("the cell is healthy again", 20_000, async () => {
    const { health } = (await world.admin("GET", `/v1/cells/${owner}`)).body as { health: string };
    return health === "healthy";
  });
  expect(await world.admin("POST", `/v1/cells/${owner}/return`)).toMatchObject({ status: 200, body: { term: 1 } });
  await until("the edge sends the vehicle to its owner", 20_000, async () => (await world.resolve(vin)).cell === owner);
});
