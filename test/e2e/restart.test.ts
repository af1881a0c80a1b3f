import { afterAll, beforeAll, expect, test } from "vitest";
import { type Lab, startLab } from "./support/lab.ts";
import { until } from "./support/until.ts";
import { freshVins } from "./support/vins.ts";
import { createWorld, type World } from "./support/world.ts";

let lab: Lab;
let world: World;

beforeAll(async () => {
  lab = await startLab({ cells: 2 });
  world = await createWorld(lab.file);
});
afterAll(() => lab?.stop());

const listVehicles = async (): Promise<Map<string, unknown>> => {
  const vehicles = new Map<string, unknown>();
  let cursor: string | null = null;
  do {
    const page = (await world.admin("GET", `/v1/vehicles?limit=200${cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`))
      .body as {
      items: { vin: string; cell: string | null; epoch: number }[];
      cursor: string | null;
    };
    for (const { vin, cell, epoch } of page.items) vehicles.set(vin, { cell, epoch });
    cursor = page.cursor;
  } while (cursor !== null);
  return vehicles;
};

test("I2: a lab started again on the same folder finds every vehicle at the same cell and epoch, and the edge says so", async () => {
  const [moved, ...placed] = freshVins(10);
  if (moved === undefined) throw new Error("no vehicle");
  const { cell } = await world.resolve(moved);
  await Promise.all(placed.map((vin) => world.resolve(vin)));
  const elsewhere = world.file.cells.find(({ id }) => id !== cell)?.id;
  expect(await world.admin("PATCH", `/v1/vehicles/${moved}`, { cell: elsewhere })).toMatchObject({ status: 200 });
  const before = await listVehicles();
  expect(before.size).toBeGreaterThanOrEqual(510);
  expect(before.get(moved)).toEqual({ cell: elsewhere, epoch: 2 });

  await lab.stop({ keepData: true });
  lab = await startLab({ cells: 2, dataDir: lab.dataDir });
  world = await createWorld(lab.file);

  expect(await listVehicles()).toEqual(before);
  for (const vin of [moved, ...placed]) {
    const { cell: told, epoch } = await until(`${vin} is answered`, 10_000, () => world.resolve(vin));
    expect({ cell: told, epoch }, vin).toEqual(before.get(vin));
  }
});
