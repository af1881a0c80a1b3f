import * as z from "zod";
import { VinField } from "#schema/api/fields.ts";
import { Move } from "#schema/api/moves.ts";
import { pageOf } from "#schema/api/vehicles.ts";
import { MOVE_STATES } from "#schema/domain/move.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { listMoves } from "../services/list-moves.ts";
import { PageQuery } from "./cells.ts";

const MoveQuery = PageQuery.extend({
  campaign: z.string().max(64).optional(),
  vin: VinField.optional(),
  state: z.enum(MOVE_STATES).optional(),
});

export const moveOperations: readonly Operation[] = [
  defineOperation({
    method: "get",
    path: "/v1/moves",
    summary: "List moves, of one campaign, one vehicle or in one state",
    access: ["viewer"],
    query: MoveQuery,
    answer: pageOf(Move),
    handle: async ({ deps, query }) => ({ body: await listMoves(deps, query) }),
  }),
];
