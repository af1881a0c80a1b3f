import { sql } from "drizzle-orm";
import { blob, index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { COMMAND_STATES } from "#schema/domain/command.ts";

/** `gone`: not this cell's any more, nobody said whose; its data waits for the centre, or for its return. */
export const VEHICLE_STATES = ["owned", "locked", "copied", "moved", "guest", "gone"] as const;

/** What the cell knows of each vehicle: the table behind admission. Times are milliseconds since the epoch. */
export const vehicles = sqliteTable("vehicles", {
  /** Stands for the VIN in the cell's other tables, so that their indexes stay small. Never reused. */
  number: integer().primaryKey({ autoIncrement: true }),
  vin: text().notNull().unique(),
  vinKey: text("vin_key").notNull(),
  state: text({ enum: VEHICLE_STATES }).notNull(),
  epoch: integer().notNull(),
  /** Where it went (`moved`) or whose guest it is (`guest`). */
  otherCell: text("other_cell"),
  /** Learnt from a ticket; the feed has not confirmed it yet. */
  isProvisional: integer("is_provisional", { mode: "boolean" }).notNull(),
  /** When it came here, or went: telemetry is complete from the one, the record is kept for 30 days from the other. */
  since: integer().notNull(),
});

/**
 * The hot table. A message is appended unindexed, so that its commit writes a few pages however many vehicles send, and is indexed soon
 * after, many at a time. A repeated id meets the unique index then, and goes; until then readers leave it out.
 */
export const telemetry = sqliteTable(
  "telemetry",
  {
    /** Never reused: what lies above the last indexed one is not indexed. */
    sequence: integer().primaryKey({ autoIncrement: true }),
    vehicle: integer().notNull(),
    id: text().notNull(),
    receivedAt: integer("received_at").notNull(),
    payload: text().notNull(),
    isIndexed: integer("is_indexed", { mode: "boolean" }).notNull().default(false),
    /** Came with the vehicle from another cell, which sends it on to the centre. */
    isCopied: integer("is_copied", { mode: "boolean" }).notNull().default(false),
  },
  (table) => [
    uniqueIndex("telemetry_by_id").on(table.vehicle, table.id).where(sql`is_indexed = 1`),
    index("telemetry_by_time").on(table.vehicle, table.receivedAt).where(sql`is_indexed = 1`),
  ],
);

/** Everything else that vehicles send and the cell acknowledges: events, twin reports, command results. */
export const uplinks = sqliteTable(
  "uplinks",
  {
    sequence: integer().primaryKey(),
    vehicle: integer().notNull(),
    channel: text().notNull(),
    id: text().notNull(),
    receivedAt: integer("received_at").notNull(),
    payload: text().notNull(),
  },
  (table) => [uniqueIndex("uplinks_by_id").on(table.vehicle, table.channel, table.id)],
);

/** Messages of 3.1.1 vehicles that do not fit their channel: MQTT 3.1.1 cannot refuse them, so they are kept here and acknowledged. */
export const misfits = sqliteTable("misfits", {
  sequence: integer().primaryKey(),
  vehicle: integer().notNull(),
  topic: text().notNull(),
  receivedAt: integer("received_at").notNull(),
  reason: text().notNull(),
  payload: blob({ mode: "buffer" }).notNull(),
});

export const commands = sqliteTable(
  "commands",
  {
    id: text().primaryKey(),
    vehicle: integer().notNull(),
    type: text().notNull(),
    /** JSON object. */
    arguments: text().notNull(),
    state: text({ enum: COMMAND_STATES }).notNull(),
    /** JSON object: what the vehicle last reported. */
    result: text(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    requestedBy: text("requested_by").notNull(),
    /** The compact JWS that the vehicle gets. */
    token: text().notNull(),
    /** SHA-256 of (issuer, subject, vehicle, Idempotency-Key), and of the body it came with. */
    idempotencyKey: text("idempotency_key").notNull().unique(),
    bodyHash: text("body_hash").notNull(),
    /** Higher goes first among those that wait. */
    priority: integer().notNull().default(0),
  },
  (table) => [index("commands_by_state").on(table.state, table.expiresAt), index("commands_by_vehicle").on(table.vehicle, table.createdAt)],
);

/** Single values: `cursor`, `view`, `incarnation`, `registered`. */
export const facts = sqliteTable("facts", { name: text().primaryKey(), value: text().notNull() });
