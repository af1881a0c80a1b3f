import { Hono } from "hono";
import * as z from "zod";
import { AppError, parseInput } from "#schema/api/error.ts";
import type { AdmissionContext } from "../admission/admit-vehicle.ts";
import type { Store, TelemetryRow } from "../store/store.ts";
import { ownerOf } from "./owner.ts";

const TimeQuery = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const Query = z.object({
  from: TimeQuery.optional(),
  to: TimeQuery.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(64).optional(),
});

type Position = { readonly receivedAt: number; readonly sequence: number };
const START: Position = { receivedAt: -1, sequence: -1 };

const encodeCursor = ({ receivedAt, sequence }: Position): string => Buffer.from(`${receivedAt}.${sequence}`).toString("base64url");

const parseCursor = (cursor: string): Position => {
  const match = /^(\d{1,16})\.(\d{1,16})$/.exec(Buffer.from(cursor, "base64url").toString());
  if (match === null) throw new AppError("bad_request", "the cursor is not one of this resource");
  return { receivedAt: Number(match[1]), sequence: Number(match[2]) };
};

/** The payload is the vehicle's own JSON text, checked when it was stored: it is not parsed again. */
const itemText = ({ id, receivedAt, payload }: TelemetryRow): string =>
  `{"id":${JSON.stringify(id)},"receivedAt":"${new Date(receivedAt).toISOString()}","payload":${payload}}`;

/** `GET /v1/vehicles/{vin}/telemetry?from&to&limit&cursor`: oldest first, `from` inclusive, `to` exclusive. */
export const telemetryRoutes = ({ admission, store }: { readonly admission: AdmissionContext; readonly store: Store }): Hono => {
  const app = new Hono();

  app.get("/:vin/telemetry", async (c) => {
    const { vehicle } = await ownerOf(admission, c);
    const { from = 0, to = Number.MAX_SAFE_INTEGER, limit, cursor } = parseInput(Query, c.req.query());
    const after = cursor === undefined ? START : parseCursor(cursor);
    const rows = await store.telemetry({ vehicle: vehicle.number, from, to, after, limit });
    const last = rows.length === limit ? rows.at(-1) : undefined;
    const next = last === undefined ? "null" : JSON.stringify(encodeCursor(last));
    const completeFrom = new Date(vehicle.since).toISOString();
    return c.body(`{"items":[${rows.map(itemText).join(",")}],"cursor":${next},"completeFrom":"${completeFrom}"}`, 200, {
      "Content-Type": "application/json",
    });
  });

  return app;
};
