import * as z from "zod";
import { VinField } from "#schema/api/fields.ts";
import { Grant, GrantRequest, SubjectField } from "#schema/api/grants.ts";
import { pageOf } from "#schema/api/vehicles.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { listGrants } from "../services/list-grants.ts";
import { putGrant } from "../services/put-grant.ts";
import { revokeGrant } from "../services/revoke-grant.ts";
import { PageQuery } from "./cells.ts";

const GrantPath = z.object({ vin: VinField, subject: SubjectField });

export const grantOperations: readonly Operation[] = [
  defineOperation({
    method: "get",
    path: "/v1/vehicles/:vin/grants",
    summary: "Who may do what with a vehicle",
    access: ["viewer"],
    params: z.object({ vin: VinField }),
    query: PageQuery,
    answer: pageOf(Grant),
    errors: ["not_found"],
    handle: async ({ deps, params, query }) => ({ body: await listGrants(deps, params.vin, query) }),
  }),
  defineOperation({
    method: "put",
    path: "/v1/vehicles/:vin/grants/:subject",
    summary: "Give somebody a role at a vehicle, whatever access tokens say",
    access: ["operator"],
    params: GrantPath,
    body: GrantRequest,
    answer: Grant,
    errors: ["not_found"],
    handle: async ({ deps, params, body }) => ({ body: await putGrant(deps, params.vin, params.subject, body) }),
  }),
  defineOperation({
    method: "delete",
    path: "/v1/vehicles/:vin/grants/:subject",
    summary: "Take somebody's right at a vehicle away, within two syncs and whatever access tokens say",
    access: ["operator"],
    params: GrantPath,
    answer: Grant,
    errors: ["not_found"],
    handle: async ({ deps, params }) => ({ body: await revokeGrant(deps, params.vin, params.subject) }),
  }),
];
