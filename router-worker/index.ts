import { waitUntil } from "cloudflare:workers";
import type { CacheStorage } from "@cloudflare/workers-types";
import type { Hono } from "hono";
import { createApp } from "./app.ts";
import { createWorkerDeps, type Env } from "./env.ts";

declare const caches: CacheStorage;

let app: Hono | undefined;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    app ??= createApp(await createWorkerDeps(env, waitUntil, caches));
    return app.fetch(request);
  },
};
