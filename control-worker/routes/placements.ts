import { TopologyDocument } from "#schema/api/topology.ts";
import { PlacementAnswer, PlacementRequest } from "#schema/api/vehicles.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { placeVehicle } from "../services/place-vehicle.ts";
import { readTopology } from "../services/read-topology.ts";

export const placementOperations: readonly Operation[] = [
  defineOperation({
    method: "post",
    path: "/v1/placements",
    summary: "Place, or look past the caches for, one authentic vehicle",
    access: ["pop"],
    body: PlacementRequest,
    answer: PlacementAnswer,
    errors: ["clock_skew", "not_enrolled", "no_capacity", "no_cell_in_zone"],
    handle: async ({ deps, body }) => ({ body: await placeVehicle(deps, body) }),
  }),
  defineOperation({
    method: "get",
    path: "/v1/topology",
    summary: "The newest topology",
    access: ["viewer", "pop"],
    answer: TopologyDocument,
    errors: ["clock_skew"],
    handle: async ({ deps }) => Response.json(await readTopology(deps), { headers: { "Cache-Control": "no-store" } }),
  }),
];
