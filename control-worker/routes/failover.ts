import * as z from "zod";
import { Failover, FailoverPolicyRequest, FailoverRequest, SeizeRequest } from "#schema/api/failover.ts";
import { CellIdField } from "#schema/api/fields.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { seizeCell } from "../services/seize-cell.ts";
import { beginReturn, changeFailoverPolicy, failOver, readFailover } from "../services/steer-failover.ts";

const CellPath = z.object({ id: CellIdField });

export const failoverOperations: readonly Operation[] = [
  defineOperation({
    method: "get",
    path: "/v1/cells/:id/failover",
    summary: "Who serves the vehicles of a cell, since when, and who decides about it",
    access: ["viewer"],
    params: CellPath,
    answer: Failover,
    errors: ["not_found"],
    handle: async ({ deps, params }) => ({ body: await readFailover(deps, params.id) }),
  }),
  defineOperation({
    method: "post",
    path: "/v1/cells/:id/failover",
    summary: "Let a standby of the same zone serve the vehicles of a cell that is down, or by force of one that is not",
    access: ["operator"],
    params: CellPath,
    body: FailoverRequest,
    answer: Failover,
    errors: ["not_found", "conflict"],
    handle: async ({ deps, params, body }) => ({ body: await failOver(deps, params.id, body) }),
  }),
  defineOperation({
    method: "post",
    path: "/v1/cells/:id/return",
    summary: "Let the vehicles of a failed-over cell that is healthy again come home",
    access: ["operator"],
    params: CellPath,
    answer: Failover,
    errors: ["not_found", "conflict"],
    handle: async ({ deps, params }) => ({ body: await beginReturn(deps, params.id) }),
  }),
  defineOperation({
    method: "post",
    path: "/v1/cells/:id/seize",
    summary: "Say that a failed-over cell is gone for good: its vehicles become its standby's own, and its key is worth nothing",
    access: ["admin"],
    params: CellPath,
    body: SeizeRequest,
    answer: Failover,
    errors: ["not_found", "conflict"],
    handle: async ({ deps, params, body }) => ({ body: await seizeCell(deps, params.id, body.confirm) }),
  }),
  defineOperation({
    method: "put",
    path: "/v1/cells/:id/failover-policy",
    summary: "Let control decide about a cell's failover, hold it for an operator, or forbid it",
    access: ["operator"],
    params: CellPath,
    body: FailoverPolicyRequest,
    answer: Failover,
    errors: ["not_found"],
    handle: async ({ deps, params, body }) => ({ body: await changeFailoverPolicy(deps, params.id, body.policy) }),
  }),
];
