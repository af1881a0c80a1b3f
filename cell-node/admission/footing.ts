import type { Footing } from "../vehicle/serving.ts";
import type { TableCompleteness } from "./table-completeness.ts";
import type { VehicleTable } from "./vehicle-table.ts";
import type { World } from "./world.ts";

export type FootingContext = { readonly table: VehicleTable; readonly completeness: TableCompleteness; readonly world: () => World };

/** Whether the cell may acknowledge and deliver for a vehicle at this moment (design §5): a session may outlast a moment at which it may not. */
export const createFooting =
  ({ table, completeness, world }: FootingContext) =>
  (vehicle: number): Footing => {
    const record = table.byNumber(vehicle)?.record;
    switch (record?.state) {
      case undefined:
      case "moved":
        return "lost";
      case "locked":
      case "copied":
        return "held";
      case "owned":
        return completeness.isComplete() ? "served" : "held";
      case "guest":
        if (record.isReturned) return "lost";
        return completeness.isComplete() && world().failedOver.includes(record.owner) ? "served" : "held";
    }
  };
