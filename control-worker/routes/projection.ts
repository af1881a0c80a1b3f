import { CompareQuery, CompareReport, RebuildReport } from "#schema/api/projection.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { compareProjection } from "../services/compare-projection.ts";
import { rebuildProjection } from "../services/rebuild-projection.ts";
import { toBytes, toNdjson } from "../services/to-bytes.ts";

const stream = (reports: AsyncIterable<unknown>): Response => {
  const headers = { "Content-Type": "application/x-ndjson", "Cache-Control": "no-store" };
  return new Response(ReadableStream.from(toBytes(toNdjson(reports))) as ReadableStream, { headers });
};

export const projectionOperations: readonly Operation[] = [
  defineOperation({
    method: "post",
    path: "/v1/projection/compare",
    summary: "Read all of KV beside libSQL and name what differs; with mend it is written once more",
    access: ["operator"],
    query: CompareQuery,
    answer: CompareReport,
    answerType: "application/x-ndjson",
    handle: async ({ deps, query }) => stream(compareProjection(deps, query.mend)),
  }),
  defineOperation({
    method: "post",
    path: "/v1/projection/rebuild",
    summary: "Write topology and every route to KV once more, behind all single changes",
    access: ["admin"],
    answer: RebuildReport,
    answerType: "application/x-ndjson",
    handle: async ({ deps }) => stream(rebuildProjection(deps)),
  }),
];
