import * as z from "zod";
import { VinField } from "#schema/api/fields.ts";
import {
  ExportLine,
  ImportIdField,
  ImportQuery,
  ImportReport,
  ImportState,
  pageOf,
  Tombstone,
  Vehicle,
  VehicleFilter,
  VehiclePatch,
} from "#schema/api/vehicles.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { eraseVehicle } from "../services/erase-vehicle.ts";
import { EXPORT_MEDIA_TYPES, exportVehicles } from "../services/export-vehicles.ts";
import { checkPartSize, importPart, readImport } from "../services/import-part.ts";
import { importVehicles } from "../services/import-vehicles.ts";
import { listVehicles } from "../services/list-vehicles.ts";
import { patchVehicle } from "../services/patch-vehicle.ts";
import { IMPORT_MEDIA_TYPES, openRecords } from "../services/read-records.ts";
import { readVehicle } from "../services/read-vehicle.ts";
import { toBytes, toNdjson } from "../services/to-bytes.ts";
import { PageQuery } from "./cells.ts";

const VehiclePath = z.object({ vin: VinField });
const ExportQuery = VehicleFilter.extend({
  format: z.enum(["ndjson", "csv"]).default("ndjson"),
  assignment: z.stringbool().default(false),
});

async function* noBytes(): AsyncGenerator<Uint8Array> {}

export const vehicleOperations: readonly Operation[] = [
  defineOperation({
    method: "post",
    path: "/v1/vehicles/import",
    summary: "Register and place vehicles from NDJSON or CSV; answers progress and errors per line while it reads",
    access: ["operator"],
    query: ImportQuery,
    streams: IMPORT_MEDIA_TYPES,
    answer: ImportReport,
    answerType: "application/x-ndjson",
    errors: ["unsupported_media_type", "payload_too_large"],
    handle: async ({ deps, query, request }) => {
      if (query.import !== undefined) checkPartSize(request);
      const mediaType = (request.headers.get("Content-Type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
      const records = await openRecords(mediaType, request.body ?? noBytes());
      const { import: importId, part } = query;
      const reports = importId === undefined ? importVehicles(deps, records) : importPart(deps, { importId, part }, records);
      const headers = { "Content-Type": "application/x-ndjson", "Cache-Control": "no-store" };
      return new Response(ReadableStream.from(toBytes(toNdjson(reports))) as ReadableStream, { headers });
    },
  }),
  defineOperation({
    method: "get",
    path: "/v1/vehicles/import/:id",
    summary: "How far each part of an import has come",
    access: ["viewer"],
    params: z.object({ id: ImportIdField }),
    answer: ImportState,
    errors: ["not_found"],
    handle: async ({ deps, params }) => ({ body: await readImport(deps, params.id) }),
  }),
  defineOperation({
    method: "get",
    path: "/v1/vehicles/export",
    summary: "Vehicles as the import takes them, as NDJSON or CSV, streamed in VIN order",
    access: ["viewer"],
    query: ExportQuery,
    answer: ExportLine,
    answerType: "application/x-ndjson",
    handle: async ({ deps, query }) => {
      const headers = { "Content-Type": EXPORT_MEDIA_TYPES[query.format], "Cache-Control": "no-store" };
      return new Response(ReadableStream.from(toBytes(exportVehicles(deps, query))) as ReadableStream, { headers });
    },
  }),
  defineOperation({
    method: "get",
    path: "/v1/vehicles",
    summary: "List vehicles in VIN order, all or those that fit every filter",
    access: ["viewer"],
    query: PageQuery.extend(VehicleFilter.shape),
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
  defineOperation({
    method: "delete",
    path: "/v1/vehicles/:vin",
    summary: "Erase a vehicle: from here at once, from the edge and its cells as soon as they are told",
    access: ["admin"],
    needsIfMatch: true,
    params: VehiclePath,
    answer: Tombstone,
    errors: ["not_found", "conflict"],
    handle: async ({ deps, params, expectedVersion }) => ({ body: await eraseVehicle(deps, params.vin, expectedVersion) }),
  }),
];
