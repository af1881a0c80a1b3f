import { Miniflare, type Request, Response } from "miniflare";
import { bundleRouter } from "./bundle.ts";
import { KEYS, PEPPER, POP } from "./world.ts";

/** A KV namespace whose every read is answered by the test: workerd asks it over a real connection. */
const KV_SCRIPT = `export default (env) => ({
  async get(key) {
    const response = await env.BACKEND.fetch("http://kv/" + key);
    if (response.status === 500) throw new Error("KV is broken");
    return response.status === 404 ? null : await response.text();
  },
});`;

type Backend = (key: string) => string | null | Promise<string | null>;
type Control = (path: string, body: unknown) => Response | Promise<Response>;

/** The bundled router in a real workerd, reached past Miniflare's proxy. `kv` and `control` answer what it asks. */
export const startWorkerd = async (answers: { readonly kv: Backend; readonly control: Control }) => {
  const miniflare = new Miniflare({
    workers: [
      {
        name: "router",
        modules: [{ type: "ESModule", path: "index.mjs", contents: await bundleRouter() }],
        compatibilityDate: "2026-07-01",
        compatibilityFlags: ["nodejs_compat"],
        bindings: {
          POP_ID: POP,
          POP_PRIVATE_JWK: JSON.stringify(KEYS.pop),
          PEPPERS: JSON.stringify([PEPPER]),
          LOG_LEVEL: "error",
        },
        wrappedBindings: { ROUTES: { scriptName: "kv" } },
        serviceBindings: {
          CONTROL: async (request: Request) => {
            const body = request.method === "POST" ? await request.json() : null;
            return answers.control(new URL(request.url).pathname, body);
          },
        },
        unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      },
      {
        name: "kv",
        modules: [{ type: "ESModule", path: "kv.mjs", contents: KV_SCRIPT }],
        serviceBindings: {
          BACKEND: async (request: Request) => {
            const value = await answers.kv(new URL(request.url).pathname.slice(1));
            return value === null ? new Response(null, { status: 404 }) : new Response(value);
          },
        },
      },
    ],
  });
  return { url: await miniflare.unsafeGetDirectURL("router"), stop: () => miniflare.dispose() };
};
