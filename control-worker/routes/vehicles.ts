import * as z from "zod";
import { CellIdField, VinField } from "#schema/api/fields.ts";
import { ImportReport, pageOf, Vehicle, VehiclePatch } from "#schema/api/vehicles.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { importVehicles } from "../services/import-vehicles.ts";
import { listVehicles } from "../services/list-vehicles.ts";
import { patchVehicle } from "../services/patch-vehicle.ts";
import { IMPORT_MEDIA_TYPES, openRecords } from "../services/read-records.ts";
import { readVehicle } from "../services/read-vehicle.ts";
import { PageQuery } from "./cells.ts";

const VehiclePath = z.object({ vin: VinField });

async function* toNdjson(reports: AsyncIterable<ImportReport>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const report of reports) yield encoder.encode(`${JSON.stringify(report)}\n`);
}

async function* noBytes(): AsyncGenerator<Uint8Array> {}

export const vehicleOperations: readonly Operation[] = [
  defineOperation({
    method: "post",
    path: "/v1/vehicles/import",
    summary: "Register and place vehicles from NDJSON or CSV; answers progress and errors per line while it reads",
    access: ["operator"],
    streams: IMPORT_MEDIA_TYPES,
    answer: ImportReport,
    answerType: "application/x-ndjson",
    errors: ["unsupported_media_type"],
    handle: async ({ deps, request }) => {
      const mediaType = (request.headers.get("Content-Type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
      const records = await openRecords(mediaType, request.body ?? noBytes());
      const headers = { "Content-Type": "application/x-ndjson", "Cache-Control": "no-store" };
      return new Response(ReadableStream.from(toNdjson(importVehicles(deps, records))) as ReadableStream, { headers });
    },
  }),
  defineOperation({
    method: "get",
    path: "/v1/vehicles",
    summary: "List vehicles in VIN order, all or one cell's",
    access: ["viewer"],
    query: PageQuery.extend({ cell: CellIdField.optional() }),
    answer: pageOf(Vehicle),
    handle: async ({ deps, query }) => ({ body: await listVehicles(deps, query) }),
  }),
  defineOperation({
    method: "get",
    path: "/v1/vehicles/:vin",
    summary: "Read a vehicle",
    access: ["viewer"],
    params: VehiclePath,
    answer: Vehicle,
    errors: ["not_found"],
    handle: async ({ deps, params }) => {
      const vehicle = await readVehicle(deps, params.vin);
      return { body: vehicle, version: vehicle.version };
    },
  }),
  defineOperation({
    method: "patch",
    path: "/v1/vehicles/:vin",
    summary: "Change a vehicle; another cell re-assigns it at the next epoch, without its data",
    access: ["operator"],
    params: VehiclePath,
    body: VehiclePatch,
    answer: Vehicle,
    errors: ["not_found", "conflict", "precondition_failed", "zone_mismatch", "no_capacity"],
    handle: async ({ deps, params, body, expectedVersion }) => {
      const vehicle = await patchVehicle(deps, params.vin, body, expectedVersion);
      return { body: vehicle, version: vehicle.version };
    },
  }),
];
