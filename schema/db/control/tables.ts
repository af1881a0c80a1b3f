import { sql } from "drizzle-orm";
import { index, integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { CELL_HEALTHS, CELL_STATES, type CellId, type Endpoints } from "#schema/domain/cell.ts";
import type { PublicJwk, Topology } from "#schema/domain/topology.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import { MARKETS } from "#schema/domain/wmi.ts";

/** Times are milliseconds since the epoch, everywhere in this database. */

export const JOINER_KINDS = ["cell", "pop"] as const;
export type JoinerKind = (typeof JOINER_KINDS)[number];

/** `single` changes are published before `bulk` ones, whatever waits in `bulk`. */
export const LANES = ["single", "bulk"] as const;
export type Lane = (typeof LANES)[number];

export const OUTBOX_KINDS = ["route", "topology"] as const;
export type OutboxKind = (typeof OUTBOX_KINDS)[number];

export const joinTokens = sqliteTable("join_tokens", {
  id: text().primaryKey(),
  /** SHA-256, hex: the token itself is shown once and never stored. */
  tokenHash: text("token_hash").notNull().unique(),
  kind: text({ enum: JOINER_KINDS }).notNull(),
  region: text(),
  zone: text(),
  endpointSuffixes: text("endpoint_suffixes", { mode: "json" }).$type<string[]>().notNull(),
  isAutoApproved: integer("is_auto_approved", { mode: "boolean" }).notNull(),
  expiresAt: integer("expires_at").notNull(),
  createdAt: integer("created_at").notNull(),
  /** The joiner that used it and the RFC 7638 thumbprint of its key. */
  usedBy: text("used_by"),
  usedByKey: text("used_by_key"),
});

export const cells = sqliteTable("cells", {
  id: text().$type<CellId>().primaryKey(),
  publicKey: text("public_key", { mode: "json" }).$type<PublicJwk>().notNull(),
  endpointSuffixes: text("endpoint_suffixes", { mode: "json" }).$type<string[]>().notNull(),
  isAutoApproved: integer("is_auto_approved", { mode: "boolean" }).notNull(),
  region: text().notNull(),
  zone: text(),
  state: text({ enum: CELL_STATES }).notNull(),
  health: text({ enum: CELL_HEALTHS }).notNull(),
  endpoints: text({ mode: "json" }).$type<Endpoints>().notNull(),
  /** When the edge got these endpoints; null until then. */
  endpointsPublishedAt: integer("endpoints_published_at"),
  standby: text().$type<CellId>(),
  hardLimit: integer("hard_limit").notNull(),
  warnShare: real("warn_share").notNull(),
  requestShare: real("request_share").notNull(),
  /** Vehicles owned: kept by triggers on assignments. */
  assigned: integer().notNull().default(0),
  weight: real().notNull().default(1),
  tags: text({ mode: "json" }).$type<string[]>().notNull(),
  release: text().notNull(),
  incarnation: integer().notNull().default(0),
  isProven: integer("is_proven", { mode: "boolean" }).notNull().default(false),
  version: integer().notNull().default(1),
  createdAt: integer("created_at").notNull(),
});

export const pops = sqliteTable("pops", {
  id: text().$type<CellId>().primaryKey(),
  publicKey: text("public_key", { mode: "json" }).$type<PublicJwk>().notNull(),
  createdAt: integer("created_at").notNull(),
});

export const vehicles = sqliteTable("vehicles", {
  vin: text().$type<Vin>().primaryKey(),
  vinKey: text("vin_key").$type<VinKey>().notNull(),
  market: text({ enum: MARKETS }).notNull(),
  zone: text(),
  usageRegion: text("usage_region"),
  model: text(),
  tier: text(),
  fleet: text(),
  tenant: text(),
  /** Stays where it is: no campaign and no re-assignment takes it along. */
  isPinned: integer("is_pinned", { mode: "boolean" }).notNull().default(false),
  version: integer().notNull().default(1),
  updatedAt: integer("updated_at").notNull(),
});

/** The truth of invariant I1: the one owner of each VIN. Guards and side effects are triggers, in the migrations. */
export const assignments = sqliteTable(
  "assignments",
  {
    vin: text().$type<Vin>().primaryKey(),
    vinKey: text("vin_key").$type<VinKey>().notNull(),
    cell: text().$type<CellId>().notNull(),
    epoch: integer().notNull(),
    /** The lane in which this epoch is published. */
    lane: text({ enum: LANES }).notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [index("assignments_by_cell").on(table.cell, table.vin)],
);

/** What each cell has to learn, in order; written by triggers, read by sync. `owner` null: the vehicle was erased. */
export const cellChanges = sqliteTable(
  "cell_changes",
  {
    seq: integer().primaryKey({ autoIncrement: true }),
    cell: text().$type<CellId>().notNull(),
    /** Emptied some time after the vehicle was erased: who has not read it by then takes a snapshot. */
    vin: text().$type<Vin | "">().notNull(),
    vinKey: text("vin_key").$type<VinKey>().notNull(),
    epoch: integer().notNull(),
    owner: text().$type<CellId>(),
  },
  (table) => [
    index("cell_changes_by_cell").on(table.cell, table.seq),
    index("cell_changes_erased").on(table.seq).where(sql`${table.owner} is null`),
  ],
);

/** What the edge has to learn; written by triggers in the transaction of the change (invariant I3), marked by the publisher. */
export const outbox = sqliteTable(
  "outbox",
  {
    seq: integer().primaryKey({ autoIncrement: true }),
    kind: text({ enum: OUTBOX_KINDS }).notNull(),
    /** The VIN of a route, the empty string of the topology. */
    vin: text().$type<Vin | "">().notNull(),
    lane: text({ enum: LANES }).notNull(),
    createdAt: integer("created_at").notNull(),
    notBefore: integer("not_before").notNull().default(0),
    attempts: integer().notNull().default(0),
    publishedAt: integer("published_at"),
  },
  (table) => [
    index("outbox_pending").on(table.kind, table.lane, table.seq).where(sql`${table.publishedAt} is null`),
    index("outbox_published").on(table.publishedAt).where(sql`${table.publishedAt} is not null`),
  ],
);

/** Every topology that was ever built. */
export const topologies = sqliteTable("topologies", {
  version: integer().primaryKey(),
  document: text({ mode: "json" }).$type<Topology>().notNull(),
  createdAt: integer("created_at").notNull(),
  publishedAt: integer("published_at"),
});

/** The writer's lease: the term rises with each holder, `batch` names the last batch that was committed under it. */
export const leases = sqliteTable("leases", {
  name: text().primaryKey(),
  holder: text().notNull(),
  term: integer().notNull(),
  expiresAt: integer("expires_at").notNull(),
  batch: text().notNull().default(""),
});

/** One row. */
export const meta = sqliteTable("meta", {
  id: integer().primaryKey(),
  epochFloor: integer("epoch_floor").notNull(),
  /** Feeds of another timeline are not comparable with these (design §4.5). */
  timeline: text().notNull(),
});

/** Always empty: a statement inserts null here when what a batch relies on does not hold, which undoes the batch. */
export const assertions = sqliteTable("assertions", { holds: integer().notNull() });
