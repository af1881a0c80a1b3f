import type { Grant } from "#schema/api/grants.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { Deps } from "../deps.ts";
import { listGrants as listRows } from "../store/grants.ts";
import { afterOf, type Page, toPage } from "./cursor.ts";
import { toGrant } from "./grant-view.ts";
import { requireVehicle } from "./require.ts";

/** A vehicle's grants by subject, those revoked lately included. */
export const listGrants = async (deps: Deps, vin: Vin, query: { cursor?: string | undefined; limit: number }): Promise<Page<Grant>> => {
  await requireVehicle(deps, vin);
  const rows = await listRows(deps.database, vin, afterOf(query.cursor), query.limit + 1);
  return toPage(rows, query.limit, (row) => row.subject, toGrant);
};
