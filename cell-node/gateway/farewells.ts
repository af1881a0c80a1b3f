import type { SessionNotice } from "#schema/api/session.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { topicOf } from "#schema/domain/topic.ts";
import { serverReferenceOf } from "../admission/reference.ts";
import type { Vehicle } from "../admission/vehicle.ts";
import type { World } from "../admission/world.ts";
import type { Farewell } from "./broker.ts";

type Destination = { readonly cell: CellId; readonly reasonCode: number; readonly reason: string };

/** Where a vehicle is served from now on, as far as the cell knows; `standby` is the cell's own while it is failed over. */
const destinationOf = ({ record }: Vehicle, standby: CellId | null): Destination | null => {
  if (record.state === "moved") return { cell: record.movedTo, reasonCode: 0x9d, reason: "moved to another cell" };
  if (record.state === "guest") return { cell: record.owner, reasonCode: 0x9c, reason: "its own cell serves again" };
  return standby === null ? null : { cell: standby, reasonCode: 0x9c, reason: "the standby serves meanwhile" };
};

/** What a connected vehicle hears when this cell serves it no more: where it went, or that it must resolve again. */
export const farewellOf = (vehicle: Vehicle, world: World, standby: CellId | null): Farewell => {
  const destination = destinationOf(vehicle, standby);
  if (destination === null) return { reasonCode: 0x87, reason: "resolve first", reference: null, notice: null };
  const { cell, reasonCode, reason } = destination;
  const { vin } = vehicle;
  const { epoch } = vehicle.record;
  const notice: SessionNotice = { state: "moved", cell, epoch, reference: world.endpointsOf(cell)?.mqtt ?? "" };
  return {
    reasonCode,
    reason,
    reference: serverReferenceOf(world, cell),
    notice: { topic: topicOf(vin, "session"), payload: JSON.stringify(notice) },
  };
};
