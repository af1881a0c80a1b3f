import * as z from "zod";
import { JoinTokenAnswer, JoinTokenRequest, Pop, PopRegistration } from "#schema/api/cells.ts";
import { CellIdField } from "#schema/api/fields.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { createJoinToken } from "../services/create-join-token.ts";
import { registerPop } from "../services/register-pop.ts";
import { removePop } from "../services/remove-pop.ts";

export const joiningOperations: readonly Operation[] = [
  defineOperation({
    method: "post",
    path: "/v1/join-tokens",
    summary: "Make a join token for one cell or POP; it is shown once",
    access: ["admin"],
    idempotency: "accepted",
    body: JoinTokenRequest,
    answer: JoinTokenAnswer,
    status: 201,
    handle: async ({ deps, body }) => ({ status: 201, body: await createJoinToken(deps, body) }),
  }),
  defineOperation({
    method: "post",
    path: "/v1/pops",
    summary: "Register a POP's key with a join token",
    access: ["anyone"],
    body: PopRegistration,
    answer: Pop,
    status: 201,
    errors: ["unauthenticated", "forbidden", "conflict", "join_token_used"],
    handle: async ({ deps, body }) => {
      const { pop, isNew } = await registerPop(deps, body);
      return { status: isNew ? 201 : 200, body: pop };
    },
  }),
  defineOperation({
    method: "delete",
    path: "/v1/pops/:id",
    summary: "Remove a POP: its key is believed no more",
    access: ["admin"],
    params: z.object({ id: CellIdField }),
    answer: Pop,
    errors: ["not_found"],
    handle: async ({ deps, params }) => ({ body: await removePop(deps, params.id) }),
  }),
];
