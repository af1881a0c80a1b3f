import * as z from "zod";
import { Cell, CellPatch, CellRegistration } from "#schema/api/cells.ts";
import { CellIdField } from "#schema/api/fields.ts";
import { pageOf } from "#schema/api/vehicles.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { approveCell } from "../services/approve-cell.ts";
import { listCells } from "../services/list-cells.ts";
import { patchCell } from "../services/patch-cell.ts";
import { readCell } from "../services/read-cell.ts";
import { registerCell } from "../services/register-cell.ts";
import { retireCell } from "../services/retire-cell.ts";

const CellPath = z.object({ id: CellIdField });
export const PageQuery = z.object({ cursor: z.string().max(512).optional(), limit: z.coerce.number().int().min(1).max(1000).default(100) });

export const cellOperations: readonly Operation[] = [
  defineOperation({
    method: "post",
    path: "/v1/cells",
    summary: "Register a cell with a join token; the cell calls it itself and proves its key at its endpoint",
    access: ["anyone"],
    body: CellRegistration,
    answer: Cell,
    status: 201,
    errors: ["unauthenticated", "forbidden", "conflict", "join_token_used", "endpoint_not_allowed", "zone_mismatch"],
    handle: async ({ deps, body }) => {
      const { cell, isNew } = await registerCell(deps, body);
      return { status: isNew ? 201 : 200, body: cell, version: cell.version };
    },
  }),
  defineOperation({
    method: "get",
    path: "/v1/cells",
    summary: "List cells",
    access: ["viewer"],
    query: PageQuery,
    answer: pageOf(Cell),
    handle: async ({ deps, query }) => ({ body: await listCells(deps, query) }),
  }),
  defineOperation({
    method: "get",
    path: "/v1/cells/:id",
    summary: "Read a cell",
    access: ["viewer"],
    params: CellPath,
    answer: Cell,
    errors: ["not_found"],
    handle: async ({ deps, params }) => {
      const cell = await readCell(deps, params.id);
      return { body: cell, version: cell.version };
    },
  }),
  defineOperation({
    method: "patch",
    path: "/v1/cells/:id",
    summary: "Change capacity, standby, tags, weight, endpoints or state of a cell",
    access: ["operator"],
    params: CellPath,
    body: CellPatch,
    answer: Cell,
    errors: ["not_found", "conflict", "precondition_failed", "endpoint_not_allowed", "zone_mismatch"],
    handle: async ({ deps, params, body, expectedVersion }) => {
      const cell = await patchCell(deps, params.id, body, expectedVersion);
      return { body: cell, version: cell.version };
    },
  }),
  defineOperation({
    method: "post",
    path: "/v1/cells/:id/approve",
    summary: "Let a proven cell go active",
    access: ["operator"],
    params: CellPath,
    answer: Cell,
    errors: ["not_found", "conflict"],
    handle: async ({ deps, params }) => {
      const cell = await approveCell(deps, params.id);
      return { body: cell, version: cell.version };
    },
  }),
  defineOperation({
    method: "delete",
    path: "/v1/cells/:id",
    summary: "Retire an empty cell for good",
    access: ["admin"],
    needsIfMatch: true,
    params: CellPath,
    answer: Cell,
    errors: ["not_found", "conflict", "precondition_failed"],
    handle: async ({ deps, params, expectedVersion }) => {
      const cell = await retireCell(deps, params.id, expectedVersion);
      return { body: cell, version: cell.version };
    },
  }),
];
