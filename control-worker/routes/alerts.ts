import * as z from "zod";
import { Alert } from "#schema/api/alerts.ts";
import { pageOf } from "#schema/api/vehicles.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { acknowledge, listAlerts } from "../services/watch-alerts.ts";
import { PageQuery } from "./cells.ts";

export const alertOperations: readonly Operation[] = [
  defineOperation({
    method: "get",
    path: "/v1/alerts",
    summary: "List alerts, newest first; with open=true those that are not resolved",
    access: ["viewer"],
    query: PageQuery.extend({ open: z.stringbool().default(false) }),
    answer: pageOf(Alert),
    handle: async ({ deps, query: { open, ...page } }) => ({ body: await listAlerts(deps, { ...page, isOpen: open }) }),
  }),
  defineOperation({
    method: "post",
    path: "/v1/alerts/:id/acknowledge",
    summary: "Say that somebody takes care of an alert",
    access: ["operator"],
    params: z.object({ id: z.coerce.number().int().min(1) }),
    answer: Alert,
    errors: ["not_found"],
    handle: async ({ deps, params }) => ({ body: await acknowledge(deps, params.id) }),
  }),
];
