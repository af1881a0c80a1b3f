import { serve as serveNode } from "@hono/node-server";
import type { Fetch } from "../handlers/route.ts";

type Listening = { readonly port: number; stop(): Promise<void> };

type DenoServer = { readonly addr: { readonly port: number }; shutdown(): Promise<void> };
declare const Deno: { serve(options: { hostname: string; port: number; onListen: () => void }, fetch: Fetch): DenoServer } | undefined;

type BunServer = { readonly port: number; stop(): Promise<void> };
type BunRoutes = Readonly<Record<string, { readonly GET: Fetch }>>;
declare const Bun: { serve(options: { hostname: string; port: number; fetch: Fetch; routes: BunRoutes }): BunServer } | undefined;

const serveOnNode = (fetch: Fetch, hostname: string, port: number): Promise<Listening> =>
  new Promise((resolve, reject) => {
    const server = serveNode({ fetch, hostname, port }, (address) =>
      resolve({ port: address.port, stop: () => new Promise((done) => server.close(() => done())) }),
    );
    server.on("error", reject);
  });

export type Served = {
  readonly fetch: Fetch;
  /** GETs by path that a server which finds paths itself may take to their handlers; `fetch` answers them as well. */
  readonly gets: Readonly<Record<string, Fetch>>;
};

/** Serves over HTTP with the runtime's own server. Rejects when the port is taken. */
export const serve = async ({ fetch, gets }: Served, hostname: string, port: number): Promise<Listening> => {
  if (typeof Deno !== "undefined") {
    const server = Deno.serve({ hostname, port, onListen: () => undefined }, fetch);
    return { port: server.addr.port, stop: () => server.shutdown() };
  }
  if (typeof Bun !== "undefined") {
    const routes = Object.fromEntries(Object.entries(gets).map(([path, GET]) => [path, { GET }]));
    const server = Bun.serve({ hostname, port, fetch, routes });
    return { port: server.port, stop: () => server.stop() };
  }
  return serveOnNode(fetch, hostname, port);
};
