import * as z from "zod";
import { FeedPage } from "#schema/api/feed.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { readFeed } from "../services/read-feed.ts";

const FeedQuery = z.object({ cursor: z.string().max(512).optional(), topology: z.coerce.number().int().min(0).default(0) });

/** Ready-made gzip; on Workers `manual` keeps the runtime from encoding it once more. */
const gzipJson = (body: unknown): Response => {
  const init = {
    headers: { "Content-Type": "application/json", "Content-Encoding": "gzip", "Cache-Control": "no-store", Vary: "Accept-Encoding" },
  };
  const zipped = new Blob([JSON.stringify(body)]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Response(zipped, { ...init, encodeBody: "manual" } as ResponseInit);
};

export const feedOperations: readonly Operation[] = [
  defineOperation({
    method: "get",
    path: "/v1/feed",
    summary: "Change feed of self-hosted POPs: a snapshot in pages without a cursor, then increments; 304 when nothing is new",
    access: ["pop"],
    query: FeedQuery,
    answer: FeedPage,
    errors: ["clock_skew", "resnapshot"],
    handle: async ({ deps, query, request }) => {
      const page = await readFeed(deps, query.cursor ?? null, query.topology);
      if (page === null) return new Response(null, { status: 304, headers: { "Cache-Control": "no-store" } });
      const acceptsGzip = /\bgzip\b/.test(request.headers.get("Accept-Encoding") ?? "");
      return acceptsGzip ? gzipJson(page) : Response.json(page, { headers: { "Cache-Control": "no-store" } });
    },
  }),
];
