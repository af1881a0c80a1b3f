import type { Cell } from "#schema/api/cells.ts";
import type { CellRow } from "../store/cells.ts";

/** A cell as the API shows it. */
export const toCell = (row: CellRow): Cell => ({
  id: row.id,
  region: row.region,
  zone: row.zone,
  state: row.state,
  health: row.health,
  endpoints: row.endpoints,
  standby: row.standby,
  capacity: { hardLimit: row.hardLimit, warnShare: row.warnShare, requestShare: row.requestShare },
  vehicles: row.assigned,
  weight: row.weight,
  tags: row.tags,
  release: row.release,
  incarnation: row.incarnation,
  isProven: row.isProven,
  version: row.version,
  createdAt: new Date(row.createdAt).toISOString(),
});
