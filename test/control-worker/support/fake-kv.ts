import type { RouteKv, RouteReader } from "../../../control-worker/publish/port.ts";

export type KvWrite = { readonly key: string; readonly value: string | null };

/** A KVNamespace's writing half in memory; `before` runs ahead of each write and may throw, wait or interfere. */
export class FakeKv implements RouteKv, RouteReader {
  readonly values = new Map<string, string>();
  readonly writes: KvWrite[] = [];
  before: (write: KvWrite) => Promise<void> | void = () => {};

  async put(key: string, value: string): Promise<void> {
    await this.#write({ key, value });
  }

  async delete(key: string): Promise<void> {
    await this.#write({ key, value: null });
  }

  async get(keys: string[]): Promise<Map<string, string | null>> {
    if (keys.length > 100) throw new Error("KV GET_BULK failed: 400 more than 100 keys");
    return new Map(keys.map((key) => [key, this.values.get(key) ?? null]));
  }

  async list({ prefix, cursor }: { prefix: string; cursor?: string | null }) {
    const names = [...this.values.keys()].filter((name) => name.startsWith(prefix)).sort();
    const from = Number(cursor ?? 0);
    const keys = names.slice(from, from + 1_000).map((name) => ({ name }));
    return { keys, list_complete: from + 1_000 >= names.length, cursor: String(from + 1_000) };
  }

  async #write(write: KvWrite): Promise<void> {
    await this.before(write);
    this.writes.push(write);
    if (write.value === null) this.values.delete(write.key);
    else this.values.set(write.key, write.value);
  }
}

export const tooMany = (): Error => new Error("KV PUT failed: 429 Too Many Requests");
