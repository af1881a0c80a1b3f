import { Hono } from "hono";
import * as z from "zod";
import type { Entry } from "./history.ts";
import type { Journal } from "./journal.ts";
import { DEFAULT_KNOBS, type Knobs, KnobsPatch } from "./knobs.ts";
import { createKvStore, type KvStore } from "./store.ts";

export const METADATA_HEADER = "X-Kv-Metadata";

/** Bounds of Workers KV: developers.cloudflare.com/kv/platform/limits. */
const MIN_TTL_SECONDS = { cacheTtl: 30, expirationTtl: 60 };
const DEFAULT_CACHE_TTL_SECONDS = 60;

const KeyField = z
  .string()
  .min(1)
  .refine((key) => key !== "." && key !== ".." && Buffer.byteLength(key) <= 512, "a key has 1 to 512 bytes and is neither . nor ..");
const CacheTtlField = z.coerce.number().int().min(MIN_TTL_SECONDS.cacheTtl).default(DEFAULT_CACHE_TTL_SECONDS);
const ReadQuery = z.object({ cacheTtl: CacheTtlField });
const BulkRead = z.object({ keys: z.array(KeyField).min(1).max(100), cacheTtl: CacheTtlField });
const WriteQuery = z.object({
  expiration: z.coerce.number().int().optional(),
  expirationTtl: z.coerce.number().int().min(MIN_TTL_SECONDS.expirationTtl).optional(),
});
const ListQuery = z.object({
  prefix: z.string().default(""),
  limit: z.coerce.number().int().min(1).max(1000).default(1000),
  cursor: z.string().optional(),
});

export type KvDeps = {
  readonly journal: Pick<Journal, "versions" | "append">;
  readonly nowMs: () => number;
  /** A number in [0, 1) that decides which calls fail. */
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
};

const bytesOf = (entry: Entry): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(entry.value, "latin1"));
const textOf = (entry: Entry): string => Buffer.from(entry.value, "latin1").toString("utf8");

/** The KV process over HTTP: `/knobs` for people, `/pops/{pop}/…` for the bindings (worker.ts). */
export const createKvApp = (deps: KvDeps): Hono => {
  let knobs: Knobs = DEFAULT_KNOBS;
  const store: KvStore = createKvStore({
    versions: deps.journal.versions,
    knobs: () => knobs,
    nowMs: deps.nowMs,
    record: deps.journal.append,
  });
  const app = new Hono();

  app.onError((error, c) => {
    if (error instanceof z.ZodError) return c.text(z.prettifyError(error), 400);
    return c.text(error.message, error instanceof SyntaxError || error instanceof URIError ? 400 : 500);
  });
  app.get("/healthz", (c) => c.text("ok"));
  app.get("/knobs", (c) => c.json(knobs));
  app.put("/knobs", async (c) => {
    knobs = { ...knobs, ...definedOnly(KnobsPatch.parse(await c.req.json())) };
    if (knobs.delaySeconds === 0) store.dropCaches();
    return c.json(knobs);
  });

  app.use("/pops/*", async (c, next) => {
    const isRead = c.req.method === "GET" || c.req.method === "POST";
    if (knobs.slowMs > 0) await deps.sleep(knobs.slowMs);
    if (deps.random() < (isRead ? knobs.readErrors : knobs.writeErrors)) return c.text("Internal Server Error", 500);
    return next();
  });

  app.get("/pops/:pop/values/:key", (c) => {
    const { cacheTtl } = ReadQuery.parse(c.req.query());
    const entry = store.read(c.req.param("pop"), KeyField.parse(c.req.param("key")), cacheTtl);
    if (entry === null) return c.body(null, 404);
    return c.body(bytesOf(entry), 200, { [METADATA_HEADER]: encodeURIComponent(JSON.stringify(entry.metadata)) });
  });
  app.post("/pops/:pop/values", async (c) => {
    const { keys, cacheTtl } = BulkRead.parse(await c.req.json());
    const entries = keys.map((key) => [key, store.read(c.req.param("pop"), key, cacheTtl)] as const);
    return c.json(entries.map(([key, entry]) => [key, entry && { value: textOf(entry), metadata: entry.metadata }]));
  });
  app.put("/pops/:pop/values/:key", async (c) => {
    const { expiration, expirationTtl } = WriteQuery.parse(c.req.query());
    const expiresAtMs =
      expirationTtl !== undefined ? deps.nowMs() + expirationTtl * 1000 : expiration !== undefined ? expiration * 1000 : null;
    const metadata: unknown = JSON.parse(decodeURIComponent(c.req.header(METADATA_HEADER) ?? "null"));
    const value = Buffer.from(await c.req.arrayBuffer()).toString("latin1");
    return answerWrite(store.write(c.req.param("pop"), KeyField.parse(c.req.param("key")), { value, metadata, expiresAtMs }));
  });
  app.delete("/pops/:pop/values/:key", (c) => answerWrite(store.write(c.req.param("pop"), KeyField.parse(c.req.param("key")), null)));
  app.get("/pops/:pop/keys", (c) => {
    const { prefix, limit, cursor } = ListQuery.parse(c.req.query());
    return c.json(store.list(c.req.param("pop"), { prefix, limit, cursor: cursor ?? null }));
  });
  return app;
};

const answerWrite = (outcome: ReturnType<KvStore["write"]>): Response =>
  outcome === "stored" ? new Response(null, { status: 204 }) : new Response("Too Many Requests", { status: 429 });

const definedOnly = (patch: object): Partial<Knobs> => Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
