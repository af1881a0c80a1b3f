import { EventPage, EventQuery } from "#schema/api/events.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { readEvents } from "../services/read-events.ts";

export const eventOperations: readonly Operation[] = [
  defineOperation({
    method: "get",
    path: "/v1/events",
    summary: "What happened, as CloudEvents in their order; keep the cursor and ask again",
    access: ["viewer"],
    query: EventQuery,
    answer: EventPage,
    errors: ["resnapshot"],
    handle: async ({ deps, query }) => ({ body: await readEvents(deps, query) }),
  }),
];
