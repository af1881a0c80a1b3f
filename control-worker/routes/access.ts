import * as z from "zod";
import { ApiToken, ApiTokenAnswer, ApiTokenRequest, AuditEntry, AuditVerdict } from "#schema/api/access.ts";
import { AppError } from "#schema/api/error.ts";
import { pageOf } from "#schema/api/vehicles.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { createApiToken } from "../services/create-api-token.ts";
import { listApiTokens } from "../services/list-api-tokens.ts";
import { listAudit } from "../services/list-audit.ts";
import { revokeApiToken } from "../services/revoke-api-token.ts";
import { verifyAudit } from "../services/verify-audit.ts";
import { PageQuery } from "./cells.ts";

export const accessOperations: readonly Operation[] = [
  defineOperation({
    method: "post",
    path: "/v1/api-tokens",
    summary: "Make an API token with a role, scopes and an end; it is shown once",
    access: ["admin"],
    idempotency: "required",
    body: ApiTokenRequest,
    answer: ApiTokenAnswer,
    status: 201,
    handle: async ({ deps, caller, body }) => {
      if (caller.kind !== "operator") throw new AppError("forbidden", "operators make API tokens");
      return { status: 201, body: await createApiToken(deps, caller, body) };
    },
  }),
  defineOperation({
    method: "get",
    path: "/v1/api-tokens",
    summary: "List API tokens, ended ones included, without the tokens themselves",
    access: ["admin"],
    query: PageQuery,
    answer: pageOf(ApiToken),
    handle: async ({ deps, query }) => ({ body: await listApiTokens(deps, query) }),
  }),
  defineOperation({
    method: "delete",
    path: "/v1/api-tokens/:id",
    summary: "Revoke an API token at once",
    access: ["admin"],
    params: z.object({ id: z.uuid() }),
    answer: ApiToken,
    errors: ["not_found"],
    handle: async ({ deps, params }) => ({ body: await revokeApiToken(deps, params.id) }),
  }),
  defineOperation({
    method: "get",
    path: "/v1/audit",
    summary: "Who changed what, newest first",
    access: ["operator"],
    query: PageQuery,
    answer: pageOf(AuditEntry),
    handle: async ({ deps, query }) => ({ body: await listAudit(deps, query) }),
  }),
  defineOperation({
    method: "get",
    path: "/v1/audit/verify",
    summary: "Follow the audit's chain of hashes, a stretch at a time",
    access: ["operator"],
    query: z.object({ cursor: z.string().max(512).optional() }),
    answer: AuditVerdict,
    handle: async ({ deps, query }) => ({ body: await verifyAudit(deps, query.cursor) }),
  }),
];
