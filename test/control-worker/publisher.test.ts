import type { Client } from "@libsql/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createVinKeyer } from "#schema/crypto/vin-keyer.ts";
import { parseRouteRecord, routeKeyOf } from "#schema/domain/route.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { type Control, call, createControl } from "./support/control.ts";
import { createDatabase, type TestDatabase } from "./support/database.ts";
import { FakeKv, tooMany } from "./support/fake-kv.ts";
import { addCell, createMember, vinOf } from "./support/fleet.ts";

const PEPPERS = [
  { id: "p2", secret: "the-current-pepper-of-these-tests-01" },
  { id: "p1", secret: "the-previous-pepper-of-these-tests-0" },
];
const variables = { PEPPERS: JSON.stringify(PEPPERS) };

let database: TestDatabase;
let kv: FakeKv;

beforeEach(async () => {
  database = await createDatabase();
  kv = new FakeKv();
});

afterEach(() => database.remove());

const createInstance = (more: { holder?: string; wrap?: (client: Client) => Client; kv?: FakeKv } = {}): Promise<Control> =>
  createControl({ database, kv, variables, ...more });

const importVehicles = (control: Control, ...numbers: number[]) =>
  call(control.app, "POST", "/v1/vehicles/import", {
    body: numbers.map((n) => JSON.stringify({ vin: vinOf(n) })).join("\n"),
    headers: { "Content-Type": "application/x-ndjson" },
  });

const readKv = async (vin: string, pepper = PEPPERS[0] ?? { id: "", secret: "" }) => {
  const value = kv.values.get(routeKeyOf(pepper.id, await createVinKeyer(pepper.secret)(vin as Vin)));
  return value === undefined ? null : parseRouteRecord(JSON.parse(value));
};

/** I3: what KV must hold, rebuilt from libSQL. */
const expectedKv = async (): Promise<Map<string, string>> => {
  const expected = new Map<string, string>();
  for (const { vin, cell, epoch } of await database.sql("select vin, cell, epoch from assignments")) {
    for (const { id, secret } of PEPPERS) {
      const key = routeKeyOf(id, await createVinKeyer(secret)(vin as Vin));
      expected.set(key, JSON.stringify({ v: 1, c: cell, e: epoch }));
    }
  }
  const [topology] = await database.sql("select document from topologies order by version desc limit 1");
  expected.set("topology", String(topology?.["document"]));
  return expected;
};

const pending = async () => (await database.sql("select count(*) as n from outbox where published_at is null"))[0]?.["n"];

/** Everything that a publisher does to the outside, killed at one step: before or after it happened, and nothing after it. */
const createDeath = (step: number, when: "before" | "after") => {
  let steps = 0;
  let isDead = false;
  const guard = async <T>(act: () => Promise<T>): Promise<T> => {
    if (isDead) throw new Error("killed");
    if (++steps === step) isDead = true;
    if (isDead && when === "before") throw new Error("killed");
    const result = await act();
    if (isDead) throw new Error("killed");
    return result;
  };
  return { guard, count: () => steps };
};

const mortalClient =
  ({ guard }: ReturnType<typeof createDeath>) =>
  (client: Client): Client =>
    new Proxy(client, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        if (name !== "batch" && name !== "execute") return value.bind(target);
        return (...args: unknown[]) => guard(() => value.apply(target, args) as Promise<unknown>);
      },
    });

class MortalKv extends FakeKv {
  readonly death: ReturnType<typeof createDeath>;
  constructor(death: ReturnType<typeof createDeath>) {
    super();
    this.death = death;
  }
  override put(key: string, value: string): Promise<void> {
    return this.death.guard(() => kv.put(key, value));
  }
  override delete(key: string): Promise<void> {
    return this.death.guard(() => kv.delete(key));
  }
}

/** Truth that was committed by a writer which never published: four vehicles, one of them moved twice, one erased. */
const commitUnpublished = async () => {
  const writer = await createInstance({ holder: "a" });
  kv.before = () => new Promise(() => {});
  await addCell(writer, await createMember("cell-a"));
  await addCell(writer, await createMember("cell-b"));
  await importVehicles(writer, 1, 2, 3, 4);
  for (const cell of ["cell-a", "cell-b"]) {
    await database.sql("update assignments set cell = ?, epoch = epoch + 1 where vin = ?", cell, vinOf(1));
  }
  await database.sql("delete from assignments where vin = ?", vinOf(4));
  kv.before = () => {};
};

const runOnce = async (death: ReturnType<typeof createDeath>) => {
  const control = await createInstance({ holder: "a", wrap: mortalClient(death), kv: new MortalKv(death) });
  await control.core.tick();
  await control.core.publish();
};

describe("publisher", () => {
  test("I3: everything committed reaches KV under every pepper, and erased vehicles leave it", async () => {
    await commitUnpublished();
    await runOnce(createDeath(0, "before"));
    expect(kv.values).toEqual(await expectedKv());
    expect(await pending()).toBe(0);
    expect(await readKv(vinOf(1), PEPPERS[1])).toEqual(await readKv(vinOf(1), PEPPERS[0]));
    expect(await database.sql("select count(*) as n from cells where endpoints_published_at > 1")).toEqual([{ n: 0 }]);
  });

  test("I3: killed before or after any of its steps, the next run brings KV to the truth", { timeout: 30_000 }, async () => {
    await commitUnpublished();
    const unpublished = await database.copy();
    const clean = createDeath(0, "before");
    await runOnce(clean);
    expect(clean.count()).toBeGreaterThan(15);
    database.remove();
    for (let step = 1; step <= clean.count(); step++) {
      for (const when of ["before", "after"] as const) {
        database = await createDatabase(unpublished);
        kv = new FakeKv();
        await runOnce(createDeath(step, when));
        await runOnce(createDeath(0, "before"));
        expect(kv.values, `killed ${when} step ${step}`).toEqual(await expectedKv());
        expect(await pending(), `killed ${when} step ${step}`).toBe(0);
        if (step < clean.count() || when === "before") database.remove();
      }
    }
  });

  test.each(["topology", "r/"])(
    "I3: a publisher frozen while it writes %s, and succeeded meanwhile, does no harm when it wakes up",
    async (prefix) => {
      await commitUnpublished();
      const reached = Promise.withResolvers<void>();
      const thawed = Promise.withResolvers<void>();
      const frozen = new FakeKv();
      const stale: string[] = [];
      frozen.put = async (key, value) => {
        if (key.startsWith(prefix)) {
          reached.resolve();
          await thawed.promise;
          if (kv.values.get(key) !== value) stale.push(key);
        }
        await kv.put(key, value);
      };
      const old = await createInstance({ holder: "a", kv: frozen });
      await old.core.tick();
      await reached.promise;
      await database.sql("update leases set expires_at = 0");
      const successor = await createInstance({ holder: "b" });
      await successor.core.write([]);
      await database.sql("update assignments set epoch = 9");
      await database.sql("update cells set state = 'draining' where id = 'cell-b'");
      await successor.core.publish();
      expect(await pending()).toBe(0);
      thawed.resolve();
      await old.core.publish();
      expect(stale.length).toBeGreaterThan(0);
      expect(kv.values).toEqual(await expectedKv());
    },
  );

  test("KV that answers 429 for one key delays that key only, and gets it later", async () => {
    const control = await createInstance();
    await addCell(control, await createMember("cell-a"));
    const busyKey = routeKeyOf("p2", await createVinKeyer(PEPPERS[0]?.secret ?? "")(vinOf(2) as Vin));
    kv.before = ({ key }) => {
      if (key === busyKey) throw tooMany();
    };
    await importVehicles(control, 1, 2, 3);
    await control.core.publish();
    expect([await readKv(vinOf(1)), await readKv(vinOf(2)), await readKv(vinOf(3))].map((record) => record?.cell)).toEqual([
      "cell-a",
      undefined,
      "cell-a",
    ]);
    kv.before = () => {};
    await control.core.publish();
    expect(await readKv(vinOf(2))).toBeNull();
    control.clock.now += 5_000;
    await control.core.publish();
    expect(await readKv(vinOf(2))).toMatchObject({ cell: "cell-a" });
    expect(await pending()).toBe(0);
  });

  test("KV that takes nothing at all makes the publisher pause; nothing is lost or counted as tried", async () => {
    const control = await createInstance();
    await addCell(control, await createMember("cell-a"));
    await control.core.publish();
    kv.before = () => {
      throw new Error("KV PUT failed: 503");
    };
    await importVehicles(control, 1, 2);
    await control.core.publish();
    kv.before = () => {};
    await control.core.publish();
    expect(await pending()).toBe(2);
    expect(await database.sql("select max(attempts) as attempts from outbox")).toEqual([{ attempts: 0 }]);
    control.clock.now += 60_000;
    await control.core.publish();
    expect(await pending()).toBe(0);
  });

  test("a single change does not wait for a bulk load: at most one slice of it goes first", async () => {
    const control = await createInstance();
    await addCell(control, await createMember("cell-a"));
    await addCell(control, await createMember("cell-b"));
    kv.before = () => new Promise(() => {});
    await importVehicles(control, ...Array.from({ length: 300 }, (_, index) => index));
    kv.before = () => {};
    const restarted = await createInstance();
    let isChanged = false;
    let bulkAfter = 0;
    kv.before = async ({ key }) => {
      if (key === "topology") return;
      if (!isChanged) {
        isChanged = true;
        await database.sql(
          "update assignments set cell = 'cell-b', epoch = 2, lane = 'single' where cell = 'cell-a' and vin = ?",
          vinOf(299),
        );
        await database.sql("update assignments set epoch = 2, lane = 'single' where vin = ?", vinOf(299)).catch(() => []);
      }
      if ((await readKv(vinOf(299)))?.epoch !== 2) bulkAfter += 1;
    };
    await restarted.core.tick();
    await restarted.core.publish();
    expect(await pending()).toBe(0);
    expect(await readKv(vinOf(299))).toMatchObject({ epoch: 2 });
    expect(bulkAfter).toBeLessThan(48 * PEPPERS.length + 16);
  });
});
