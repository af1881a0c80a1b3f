import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import type { Hono } from "hono";

export type HttpListener = {
  readonly port: number;
  /** Takes no more requests; resolves when those there are have been answered. */
  close(): Promise<void>;
};

/** Serves an app over HTTP/1.1; TLS is the business of what stands in front of the cell. */
export const listenHttp = async (app: Hono, { host, port }: { readonly host: string; readonly port: number }): Promise<HttpListener> => {
  const server = serve({ fetch: app.fetch, hostname: host, port });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ("closeIdleConnections" in server) server.closeIdleConnections();
      }),
  };
};
