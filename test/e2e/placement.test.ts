import { afterAll, beforeAll, expect, test } from "vitest";
import { Cell } from "#schema/api/cells.ts";
import { RouteAnswer } from "#schema/api/route.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { until } from "./support/until.ts";
import { freshVins } from "./support/vins.ts";
import { createWorld, problemOf, type World } from "./support/world.ts";

const VEHICLES = 200;
const PLACES = 100;
const TAKEOVER_MS = 10_000;

let lab: Lab;
let world: World;

beforeAll(async () => {
  lab = await startLab({ pops: 2, controls: 2 });
  world = await createWorld(lab.file);
});
afterAll(() => lab?.stop());

const readCells = async (): Promise<Cell[]> => {
  const { body } = await world.admin("GET", "/v1/cells");
  return (body as { items: unknown[] }).items.map((item) => Cell.parse(item));
};

/** Leaves room for so many vehicles more, spread over all cells. */
const leaveRoom = async (places: number): Promise<Cell[]> => {
  const cells = await readCells();
  for (const { id, vehicles } of cells) {
    const patched = await world.admin("PATCH", `/v1/cells/${id}`, { capacity: { hardLimit: vehicles + places / cells.length } });
    expect(patched.status, JSON.stringify(patched.body)).toBe(200);
  }
  return readCells();
};

type Outcome = { readonly vin: Vin; readonly route: RouteAnswer | null };

/** One ask of the edge: a route, `null` for a final `no_capacity`, or "again" for what the edge says is temporary. */
const askOnce = async (vin: Vin, router: number): Promise<RouteAnswer | null | "again"> => {
  const answer = await world.ask(router, await world.deviceToken(vin));
  if (answer.status === 200) return RouteAnswer.parse(answer.body);
  const { code, retryable } = problemOf(answer);
  if (code === "no_capacity") return null;
  if (!retryable || answer.headers.get("Retry-After") === null) throw new Error(`${vin}: ${answer.status} ${code}`);
  return "again";
};

const race = async (vins: readonly Vin[], lanes: number, onAnswer: (outcome: Outcome) => void = () => undefined): Promise<Outcome[]> => {
  const waiting = [...vins.entries()];
  const outcomes: Outcome[] = [];
  const runLane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, vin] = next;
      const route = await until(`an answer for ${vin}`, 30_000, async () => {
        const answer = await askOnce(vin, index % 2);
        return answer === "again" ? null : { answer };
      });
      outcomes.push({ vin, route: route.answer });
      onAnswer({ vin, route: route.answer });
    }
  };
  await Promise.all(Array.from({ length: lanes }, runLane));
  return outcomes;
};

/** Exactly the places there were are taken, by vehicles that each have one cell at one epoch, the same everywhere. */
const expectExactlyFull = async (outcomes: readonly Outcome[], before: readonly Cell[]) => {
  const placed = outcomes.filter(({ route }) => route !== null);
  expect([placed.length, outcomes.length - placed.length]).toEqual([PLACES, VEHICLES - PLACES]);
  const after = await readCells();
  expect(after.map(({ id, vehicles }) => [id, vehicles])).toEqual(before.map(({ id, capacity }) => [id, capacity.hardLimit]));
  for (const { vin, route } of outcomes) {
    const told = route === null ? [null, 0] : [route.cell, 1];
    const vehicle = await world.admin("GET", `/v1/vehicles/${vin}`);
    const known = vehicle.status === 404 ? [null, 0] : [(await world.vehicle(vin)).cell, (await world.vehicle(vin)).epoch];
    expect(known, vin).toEqual(told);
  }
};

test("I1: of 200 vehicles that race through two POPs for 100 places, 100 are placed once and 100 are told no_capacity", async () => {
  const before = await leaveRoom(PLACES);
  await expectExactlyFull(await race(freshVins(VEHICLES), VEHICLES), before);
});

test("I1: a second control-worker takes over within 10 s when the first dies in such a race: nothing over the limit, none placed twice", async () => {
  const before = await leaveRoom(PLACES);
  const isPlacedAfter = Promise.withResolvers<void>();
  let answered = 0;
  let isKilled = false;
  const outcomes = race(freshVins(VEHICLES), 8, ({ route }) => {
    answered++;
    if (isKilled && route !== null) isPlacedAfter.resolve();
    if (answered === PLACES / 4) {
      isKilled = true;
      void lab.process("control").kill();
    }
  });
  const takeover = until("the kill", 30_000, () => isKilled).then(() =>
    Promise.race([isPlacedAfter.promise, until("a placement by the second control-worker", TAKEOVER_MS, () => false)]),
  );
  await Promise.all([outcomes, takeover]);
  await lab.process("control").start();
  await expectExactlyFull(await outcomes, before);
});
