import { waitUntil } from "cloudflare:workers";
import type { CacheStorage } from "@cloudflare/workers-types";
import type { Hono } from "hono";
import { createApp } from "./app.ts";
import { createWorkerDeps, type Env } from "./env.ts";

declare const caches: CacheStorage;

let app: Hono | undefined;

const start = async (env: Env): Promise<Hono> => {
  app ??= createApp(await createWorkerDeps(env, waitUntil, caches));
  return app;
};

export default {
  fetch: (request: Request, env: Env): Response | Promise<Response> =>
    app === undefined ? start(env).then((started) => started.fetch(request)) : app.fetch(request),
};
