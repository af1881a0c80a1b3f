import type { Fetcher, KVNamespace, KVNamespaceListOptions, KVNamespacePutOptions, Response } from "@cloudflare/workers-types";

type Env = {
  /** The KV process (app.ts). */
  readonly KV: Fetcher;
  /** Whose copy is read. */
  readonly POP: string;
};

type ReadOptions = { readonly type?: keyof typeof READERS; readonly cacheTtl?: number };
type ReadArgument = ReadOptions | keyof typeof READERS | undefined;

const READERS = {
  text: (response: Response) => response.text(),
  json: (response: Response) => response.json(),
  arrayBuffer: (response: Response) => response.arrayBuffer(),
  stream: (response: Response) => response.body,
};
const PARSERS = { text: (text: string): unknown => text, json: (text: string): unknown => JSON.parse(text) };
const METADATA_HEADER = "X-Kv-Metadata";
const NOTHING = { value: null, metadata: null, cacheStatus: null };

const optionsOf = (argument: ReadArgument): ReadOptions => (typeof argument === "string" ? { type: argument } : (argument ?? {}));

const queryOf = (members: Readonly<Record<string, string | number | null | undefined>>): string => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) if (value !== undefined && value !== null) query.set(name, String(value));
  return query.toString();
};

/** An ordinary KVNamespace over the lab's KV process: Miniflare's wrapped binding calls this with the inner bindings. */
export default ({ KV, POP }: Env): KVNamespace => {
  const call = async (
    operation: string,
    path: string,
    init: { method?: string; body?: unknown; headers?: Record<string, string> } = {},
  ) => {
    const response = await KV.fetch(`http://kv/pops/${POP}/${path}`, init as Parameters<Fetcher["fetch"]>[1]);
    if (response.ok || response.status === 404) return response;
    throw new Error(`KV ${operation} failed: ${response.status} ${await response.text()}`);
  };
  const valuePath = (key: string, query = "") => `values/${encodeURIComponent(key)}?${query}`;

  const readOne = async (key: string, { type = "text", cacheTtl }: ReadOptions) => {
    const response = await call("GET", valuePath(key, queryOf({ cacheTtl })));
    if (response.status === 404) return NOTHING;
    const metadata: unknown = JSON.parse(decodeURIComponent(response.headers.get(METADATA_HEADER) ?? "null"));
    return { value: await READERS[type](response), metadata, cacheStatus: null };
  };
  const readMany = async (keys: readonly string[], { type = "text", cacheTtl }: ReadOptions) => {
    if (type !== "text" && type !== "json") throw new TypeError(`KV GET failed: several keys cannot be read as ${type}`);
    const response = await call("GET_BULK", "values", { method: "POST", body: JSON.stringify({ keys, cacheTtl }) });
    const entries = await response.json<[string, { value: string; metadata: unknown } | null][]>();
    const resultOf = (entry: { value: string; metadata: unknown } | null) =>
      entry === null ? NOTHING : { value: PARSERS[type](entry.value), metadata: entry.metadata, cacheStatus: null };
    return new Map(entries.map(([key, entry]) => [key, resultOf(entry)]));
  };

  const namespace = {
    async get(key: string | readonly string[], argument?: ReadArgument) {
      if (typeof key === "string") return (await readOne(key, optionsOf(argument))).value;
      const found = await readMany(key, optionsOf(argument));
      return new Map([...found].map(([name, { value }]) => [name, value]));
    },
    getWithMetadata: (key: string | readonly string[], argument?: ReadArgument) =>
      typeof key === "string" ? readOne(key, optionsOf(argument)) : readMany(key, optionsOf(argument)),
    async put(key: string, value: unknown, options: KVNamespacePutOptions = {}) {
      const { expiration, expirationTtl, metadata = null } = options;
      const headers = { [METADATA_HEADER]: encodeURIComponent(JSON.stringify(metadata)) };
      await call("PUT", valuePath(key, queryOf({ expiration, expirationTtl })), { method: "PUT", body: value, headers });
    },
    async delete(key: string) {
      await call("DELETE", valuePath(key), { method: "DELETE" });
    },
    async list({ prefix, limit, cursor }: KVNamespaceListOptions = {}) {
      const response = await call("LIST", `keys?${queryOf({ prefix, limit, cursor })}`);
      const page = await response.json<{ keys: unknown[]; cursor: string | null }>();
      return {
        keys: page.keys,
        cacheStatus: null,
        ...(page.cursor === null ? { list_complete: true } : { list_complete: false, cursor: page.cursor }),
      };
    },
  };
  return namespace as unknown as KVNamespace; // the overloads of KVNamespace select by argument, which a single signature cannot say
};
