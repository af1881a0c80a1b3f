import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CellId } from "#schema/domain/cell.ts";
import { vinKeyOfMac } from "#schema/domain/vin-key.ts";
import { loadReplica, saveReplica } from "../../router-worker/store/replica/replica-file.ts";
import { createReplicaTable } from "../../router-worker/store/replica/replica-table.ts";

const keyOf = (name: number) => vinKeyOfMac(createHash("sha256").update(String(name)).digest());
const COUNT = 5_000;
let folder: string;
let path: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloverleaf-replica-"));
  path = join(folder, "replica.gz");
  const table = createReplicaTable();
  for (let i = 0; i < COUNT; i++) table.put(keyOf(i), { cell: `cell-${i % 3}` as CellId, epoch: i === 0 ? 2 ** 52 : i + 1 });
  await saveReplica(path, { table, cursor: "t1.42", confirmedAtMs: 5, topology: '{"v":1}' });
});
afterAll(() => rm(folder, { recursive: true }));

const load = async (name: string) => {
  const loaded = await loadReplica(name);
  return "table" in loaded ? loaded : expect.fail(loaded.detail);
};

describe("I4: the last-known-good file", () => {
  test("gives back every record, the cursor and the topology", async () => {
    const { table, cursor, confirmedAtMs, topology } = await load(path);
    expect([table.size(), cursor, confirmedAtMs, topology]).toEqual([COUNT, "t1.42", 5, '{"v":1}']);
    for (let i = 0; i < COUNT; i++) expect(table.get(keyOf(i))).toEqual({ cell: `cell-${i % 3}`, epoch: i === 0 ? 2 ** 52 : i + 1 });
  });

  test.each([0, 1, 10, 1_000, 50_000])("is refused when cut to %d bytes", async (size) => {
    const cut = join(folder, `cut-${size}.gz`);
    await writeFile(cut, await readFile(path));
    await truncate(cut, size);
    expect(await loadReplica(cut)).toMatchObject({ kind: "damaged" });
  });

  test("is refused when one byte is another", async () => {
    const altered = await readFile(path);
    altered.writeUInt8(altered.readUInt8(20_000) ^ 1, 20_000);
    const other = join(folder, "altered.gz");
    await writeFile(other, altered);
    expect(await loadReplica(other)).toMatchObject({ kind: "damaged" });
  });

  test("says when there is none", async () => {
    expect(await loadReplica(join(folder, "none.gz"))).toMatchObject({ kind: "absent" });
  });
});
