import * as z from "zod";
import { MARKETS } from "#schema/domain/wmi.ts";
import { CellIdField, EpochField, TimeField, VinField, VinKeyField, ZoneField } from "./fields.ts";

const label = z.string().min(1).max(64);

/** One line of `POST /v1/vehicles/import`, NDJSON or CSV with a header row. Only `vin` is required. */
export const ImportLine = z
  .object({
    vin: z.string(),
    /** Decides the VIN policy; without it the manufacturer code does. */
    market: z.enum(MARKETS).optional(),
    zone: ZoneField.nullable().default(null),
    usageRegion: label.nullable().default(null),
    model: label.nullable().default(null),
    tier: label.nullable().default(null),
    fleet: label.nullable().default(null),
    tenant: label.nullable().default(null),
  })
  .strict();
export type ImportLine = z.infer<typeof ImportLine>;

export const ImportIdField = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "an import id has 1 to 64 letters, digits, - and _");

/** Query of the import. With an id it may come in parts of at most 50 MB; a part that is sent again goes on behind the lines that are stored. */
export const ImportQuery = z.object({ import: ImportIdField.optional(), part: z.coerce.number().int().min(1).max(100_000).default(1) });

/** How far each part of an import has come, in lines. */
export const ImportState = z.object({
  id: z.string(),
  parts: z.array(z.object({ part: z.int(), lines: z.int(), isDone: z.boolean(), updatedAt: TimeField })),
});
export type ImportState = z.infer<typeof ImportState>;

/** NDJSON lines of the import's answer: errors as they are met, progress per chunk, and one summary. `line` counts from 1. */
export const ImportReport = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("error"), line: z.int(), code: z.string(), detail: z.string() }),
  z.object({ kind: z.literal("progress"), lines: z.int(), imported: z.int(), unchanged: z.int(), failed: z.int() }),
  z.object({
    kind: z.literal("done"),
    lines: z.int(),
    imported: z.int(),
    unchanged: z.int(),
    failed: z.int(),
    placed: z.int(),
    unplaced: z.int(),
  }),
]);
export type ImportReport = z.infer<typeof ImportReport>;

/** A vehicle as the API shows it. `cell` is null while it has none. */
export const Vehicle = z.object({
  vin: VinField,
  vinKey: VinKeyField,
  cell: CellIdField.nullable(),
  epoch: z.int().min(0),
  market: z.enum(MARKETS),
  zone: ZoneField.nullable(),
  usageRegion: z.string().nullable(),
  model: z.string().nullable(),
  modelYear: z.int().nullable(),
  tier: z.string().nullable(),
  fleet: z.string().nullable(),
  tenant: z.string().nullable(),
  /** A pinned vehicle stays where it is: no campaign and no re-assignment takes it along. */
  isPinned: z.boolean(),
  version: z.int(),
  updatedAt: TimeField,
});
export type Vehicle = z.infer<typeof Vehicle>;

/** Filters of `GET /v1/vehicles` and of the export; together they narrow. */
export const VehicleFilter = z.object({
  cell: CellIdField.optional(),
  vinPrefix: z
    .string()
    .regex(/^[A-HJ-NPR-Z0-9]{1,17}$/)
    .optional(),
  market: z.enum(MARKETS).optional(),
  zone: ZoneField.optional(),
  usageRegion: label.optional(),
  model: label.optional(),
  tier: label.optional(),
  fleet: label.optional(),
  tenant: label.optional(),
  isPinned: z.stringbool().optional(),
});
export type VehicleFilter = z.infer<typeof VehicleFilter>;

/** One line of `GET /v1/vehicles/export`: a line of the import, and with `assignment=true` the cell and its epoch. */
export const ExportLine = ImportLine.extend({ market: z.enum(MARKETS), cell: CellIdField.nullish(), epoch: z.int().min(0).optional() });
export type ExportLine = z.infer<typeof ExportLine>;

/** What is left of an erased vehicle. */
export const Tombstone = z.object({ vinKey: VinKeyField, epoch: z.int().min(0), erasedAt: TimeField });
export type Tombstone = z.infer<typeof Tombstone>;

/** Body of `PATCH /v1/vehicles/{vin}`; another `cell` re-assigns at the next epoch, without data. */
export const VehiclePatch = z
  .object({
    cell: CellIdField,
    zone: ZoneField.nullable(),
    usageRegion: label.nullable(),
    model: label.nullable(),
    tier: label.nullable(),
    fleet: label.nullable(),
    tenant: label.nullable(),
    isPinned: z.boolean(),
  })
  .partial()
  .strict();
export type VehiclePatch = z.infer<typeof VehiclePatch>;

/** Body of `POST /v1/placements` (POPs only): place, or look past the caches for, one authentic vehicle. */
export const PlacementRequest = z.object({ vin: VinField, issuer: z.string() });
export type PlacementRequest = z.infer<typeof PlacementRequest>;

export const PlacementAnswer = z.object({
  vinKey: VinKeyField,
  cell: CellIdField,
  epoch: EpochField,
  reason: z.enum(["assigned", "placed"]),
  /** The rule that chose the cell, where one did. */
  rule: z.string().nullish(),
});
export type PlacementAnswer = z.infer<typeof PlacementAnswer>;

/** The shape of every list. */
export const pageOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), cursor: z.string().nullable() });
