import * as z from "zod";
import { AppError } from "#schema/api/error.ts";
import { CellIdField } from "#schema/api/fields.ts";
import { SyncAnswer, SyncRequest } from "#schema/api/sync.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { syncCell } from "../services/sync-cell.ts";

const MAX_SYNC_BYTES = 512 * 1024;

export const syncOperations: readonly Operation[] = [
  defineOperation({
    method: "post",
    path: "/v1/cells/:id/sync",
    summary: "What a cell observed up, what it should be and what changed for it down; every 2 s",
    access: ["cell"],
    params: z.object({ id: CellIdField }),
    body: SyncRequest,
    answer: SyncAnswer,
    errors: ["clock_skew", "forbidden", "conflict", "resnapshot"],
    maxBodyBytes: MAX_SYNC_BYTES,
    handle: async ({ deps, caller, params, body }) => {
      if (caller.kind !== "cell" || caller.id !== params.id) throw new AppError("forbidden", "a cell syncs for itself only");
      return { body: await syncCell(deps, params.id, body) };
    },
  }),
];
