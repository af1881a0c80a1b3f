import type { RouteKv } from "../../../control-worker/publish/port.ts";

export type KvWrite = { readonly key: string; readonly value: string | null };

/** A KVNamespace's writing half in memory; `before` runs ahead of each write and may throw, wait or interfere. */
export class FakeKv implements RouteKv {
  readonly values = new Map<string, string>();
  readonly writes: KvWrite[] = [];
  before: (write: KvWrite) => Promise<void> | void = () => {};

  async put(key: string, value: string): Promise<void> {
    await this.#write({ key, value });
  }

  async delete(key: string): Promise<void> {
    await this.#write({ key, value: null });
  }

  async #write(write: KvWrite): Promise<void> {
    await this.before(write);
    this.writes.push(write);
    if (write.value === null) this.values.delete(write.key);
    else this.values.set(write.key, write.value);
  }
}

export const tooMany = (): Error => new Error("KV PUT failed: 429 Too Many Requests");
