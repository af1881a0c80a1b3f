import { appendFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Fetcher } from "@cloudflare/workers-types";
import { beforeEach, describe, expect, test } from "vitest";
import { createKvApp } from "./kv/app.ts";
import { type Journal, openJournal } from "./kv/journal.ts";
import type { KnobsPatch } from "./kv/knobs.ts";
import bindKv from "./kv/worker.ts";

const newFile = () => join(mkdtempSync(join(tmpdir(), "cloverleaf-kv-")), "kv.ndjson");

/** The KV process without its socket, and the bindings that workers get over it. */
const startKv = (file: string) => {
  const clock = { nowMs: 1_000_000, slept: 0, chance: 0.5 };
  const journal: Journal = openJournal(file);
  const app = createKvApp({
    journal,
    nowMs: () => clock.nowMs,
    random: () => clock.chance,
    sleep: async (ms) => {
      clock.slept += ms;
    },
  });
  const fetcher = { fetch: (url: string, init?: RequestInit) => app.request(url, init) } as unknown as Fetcher;
  return {
    clock,
    close: journal.close,
    pass: (seconds: number) => {
      clock.nowMs += seconds * 1000;
    },
    at: (pop: string) => bindKv({ KV: fetcher, POP: pop }),
    set: async (patch: KnobsPatch | Record<string, unknown> | string) =>
      (await app.request("/knobs", { method: "PUT", body: typeof patch === "string" ? patch : JSON.stringify(patch) })).status,
  };
};

let kv: ReturnType<typeof startKv>;
beforeEach(() => {
  kv = startKv(newFile());
});

describe("an ordinary namespace", () => {
  test("reads back what was put, as text, JSON, bytes and stream", async () => {
    const pop = kv.at("pop-1");
    await pop.put("r/p1/key ä%", '{"v":1,"c":"größe"}');
    expect(await pop.get("r/p1/key ä%")).toBe('{"v":1,"c":"größe"}');
    expect(await pop.get("r/p1/key ä%", "json")).toEqual({ v: 1, c: "größe" });
    expect(await pop.get("r/p1/key ä%", { type: "json", cacheTtl: 30 })).toEqual({ v: 1, c: "größe" });
    await pop.put("bytes", Uint8Array.of(0, 128, 255));
    expect(new Uint8Array((await pop.get("bytes", "arrayBuffer")) ?? new ArrayBuffer(0))).toEqual(Uint8Array.of(0, 128, 255));
    const chunks = await Array.fromAsync((await pop.get("r/p1/key ä%", "stream")) ?? []);
    expect(Buffer.concat(chunks).toString()).toContain("größe");
  });

  test("a missing key is null, alone and among several", async () => {
    await kv.at("pop-1").put("a", "1");
    expect(await kv.at("pop-1").get("b")).toBeNull();
    expect(await kv.at("pop-1").getWithMetadata("b")).toEqual({ value: null, metadata: null, cacheStatus: null });
    const several = await kv.at("pop-1").get(["a", "b"], "json");
    expect([...several]).toEqual([
      ["a", 1],
      ["b", null],
    ]);
  });

  test("metadata and expiry travel with the value", async () => {
    await kv.at("pop-1").put("a", "1", { metadata: { of: "ä" }, expirationTtl: 60 });
    expect(await kv.at("pop-2").getWithMetadata("a")).toEqual({ value: "1", metadata: { of: "ä" }, cacheStatus: null });
    kv.pass(60);
    expect(await kv.at("pop-2").get("a")).toBeNull();
  });

  test("lists by prefix, page by page, without what was deleted", async () => {
    const pop = kv.at("pop-1");
    for (const key of ["r/2", "r/1", "topology", "r/3", "r/0"]) await pop.put(key, "x");
    kv.pass(1);
    await pop.delete("r/0");
    const first = await pop.list({ prefix: "r/", limit: 2 });
    expect(first.keys.map((key) => key.name)).toEqual(["r/1", "r/2"]);
    if (first.list_complete) throw new Error("a second page was expected");
    const second = await pop.list({ prefix: "r/", limit: 2, cursor: first.cursor });
    expect(second).toMatchObject({ keys: [{ name: "r/3" }], list_complete: true });
  });

  test("refuses what Workers KV refuses: short cacheTtl, long keys, more than 100 keys, unknown knobs", async () => {
    const pop = kv.at("pop-1");
    await expect(pop.get("a", { type: "text", cacheTtl: 5 })).rejects.toThrow("KV GET failed: 400");
    await expect(pop.put("k".repeat(513), "x")).rejects.toThrow("KV PUT failed: 400");
    await expect(pop.get(Array.from({ length: 101 }, (_, i) => `${i}`))).rejects.toThrow("400");
    expect(await kv.set({ delay: 60 })).toBe(400);
    expect(await kv.set("delaySeconds=60")).toBe(400);
    expect(await kv.set({ delaySeconds: 601 })).toBe(400);
  });
});

describe("a copy per POP", () => {
  test("with delay 0 reads are current everywhere, misses included", async () => {
    expect(await kv.at("pop-1").get("a")).toBeNull();
    await kv.at("control").put("a", "1");
    expect(await kv.at("pop-1").get("a")).toBe("1");
  });

  test("with a delay the writer sees its write at once, another POP only after the delay", async () => {
    await kv.set({ delaySeconds: 60 });
    await kv.at("control").put("a", "1");
    expect(await kv.at("control").get("a")).toBe("1");
    kv.pass(59);
    expect(await kv.at("pop-1").get("a")).toBeNull();
    expect(await kv.at("pop-2").list()).toMatchObject({ keys: [] });
    kv.pass(1);
    expect(await kv.at("pop-2").get("a")).toBe("1");
  });

  test("with a delay a POP goes on with the older value, not with a miss", async () => {
    await kv.at("control").put("a", "old");
    kv.pass(300);
    await kv.set({ delaySeconds: 60 });
    await kv.at("control").put("a", "new");
    kv.pass(30);
    expect(await kv.at("pop-1").get("a")).toBe("old");
    kv.pass(60);
    expect(await kv.at("pop-1").get("a")).toBe("new");
  });

  test.each([
    ["hits", "1"],
    ["misses", null],
  ])("with a delay %s are cached for cacheTtl, in each POP on its own", async (_, before) => {
    if (before !== null) await kv.at("control").put("a", before);
    kv.pass(10);
    await kv.set({ delaySeconds: 5 });
    expect(await kv.at("pop-1").get("a", { type: "text", cacheTtl: 30 })).toBe(before);
    await kv.at("control").put("a", "2");
    kv.pass(29);
    expect(await kv.at("pop-1").get("a", { type: "text", cacheTtl: 30 })).toBe(before);
    expect(await kv.at("pop-2").get("a", { type: "text", cacheTtl: 30 })).toBe("2");
    kv.pass(1);
    expect(await kv.at("pop-1").get("a", { type: "text", cacheTtl: 30 })).toBe("2");
  });

  test("setting the delay to 0 makes everything current at once", async () => {
    await kv.set({ delaySeconds: 60 });
    await kv.at("pop-1").get("a");
    await kv.at("control").put("a", "1");
    await kv.set({ delaySeconds: 0 });
    expect(await kv.at("pop-1").get("a")).toBe("1");
  });
});

describe("refusals and faults", () => {
  test("a second write of a key within a second is 429 and changes nothing; another key is not affected", async () => {
    const pop = kv.at("control");
    await pop.put("a", "1");
    await expect(pop.put("a", "2")).rejects.toThrow("KV PUT failed: 429");
    await expect(kv.at("pop-1").delete("a")).rejects.toThrow("KV DELETE failed: 429");
    await pop.put("b", "1");
    expect(await pop.get("a")).toBe("1");
    kv.pass(1);
    await pop.put("a", "2");
    expect(await pop.get("a")).toBe("2");
  });

  test("reads and writes fail at the rates set, each on its own", async () => {
    await kv.set({ readErrors: 0.6 });
    await kv.at("pop-1").put("a", "1");
    await expect(kv.at("pop-1").get("a")).rejects.toThrow("KV GET failed: 500");
    await kv.set({ readErrors: 0, writeErrors: 0.6 });
    await expect(kv.at("pop-1").put("b", "1")).rejects.toThrow("KV PUT failed: 500");
    kv.clock.chance = 0.7;
    await kv.at("pop-1").put("b", "1");
    expect(await kv.at("pop-1").get("b")).toBe("1");
  });

  test("every call is slowed down by slowMs", async () => {
    await kv.set({ slowMs: 5000 });
    await kv.at("pop-1").get("a");
    expect(kv.clock.slept).toBe(5000);
  });
});

describe("restart", () => {
  test("values, deletes, metadata and the delay of recent writes survive; knobs do not", async () => {
    const file = newFile();
    const before = startKv(file);
    await before.at("control").put("a", "old", { metadata: { n: 1 } });
    await before.at("control").put("b", "gone");
    before.pass(100);
    await before.at("control").put("a", "new");
    await before.at("control").delete("b");
    await before.set({ writeErrors: 1 });
    before.close();
    appendFileSync(file, '{"key":"torn');

    const after = startKv(file);
    after.clock.nowMs = before.clock.nowMs + 10_000;
    expect(await after.at("pop-1").get("a")).toBe("new");
    expect(await after.at("pop-1").get("b")).toBeNull();
    await after.set({ delaySeconds: 60 });
    expect(await after.at("pop-1").getWithMetadata("a")).toMatchObject({ value: "old", metadata: { n: 1 } });
    await after.at("pop-1").put("c", "1");
    after.close();
    const again = startKv(file);
    expect(await again.at("pop-1").get("c")).toBe("1");
    again.close();
  });
});
