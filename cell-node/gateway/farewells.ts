import type { SessionNotice } from "#schema/api/session.ts";
import { topicOf } from "#schema/domain/topic.ts";
import { serverReferenceOf } from "../admission/reference.ts";
import type { Vehicle } from "../admission/vehicle.ts";
import type { World } from "../admission/world.ts";
import type { Farewell } from "./broker.ts";

/** What a connected vehicle hears when it is not this cell's any more: where it went, or that it must resolve again. */
export const farewellOf = ({ vin, record }: Vehicle, world: World): Farewell => {
  if (record.state !== "moved") return { reasonCode: 0x87, reason: "resolve first", reference: null, notice: null };
  const { movedTo: cell, epoch } = record;
  const notice: SessionNotice = { state: "moved", cell, epoch, reference: world.endpointsOf(cell)?.mqtt ?? "" };
  return {
    reasonCode: 0x9d,
    reason: "moved to another cell",
    reference: serverReferenceOf(world, cell),
    notice: { topic: topicOf(vin, "session"), payload: JSON.stringify(notice) },
  };
};
