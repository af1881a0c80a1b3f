import { hash, randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import * as z from "zod";
import { type Command, CommandRequest } from "#schema/api/commands.ts";
import { AppError, parseInput } from "#schema/api/error.ts";
import type { AdmissionContext } from "../admission/admit-vehicle.ts";
import type { Vehicle } from "../admission/vehicle.ts";
import type { Limits } from "../config.ts";
import type { CommandRow, Store } from "../store/store.ts";
import type { CommandDesk } from "../vehicle/command-desk.ts";
import { maySend } from "../vehicle/rights.ts";
import { notYours, ownerOf } from "./owner.ts";

export type CommandRoutesContext = {
  readonly admission: AdmissionContext;
  readonly commands: CommandDesk;
  readonly store: Store;
  readonly limits: Limits;
};

const toCommand = ({ vin }: Vehicle, row: CommandRow): Command => ({
  id: row.id,
  vin,
  type: row.type,
  arguments: JSON.parse(row.arguments),
  state: row.state,
  result: row.result === null ? null : JSON.parse(row.result),
  createdAt: new Date(row.createdAt).toISOString(),
  expiresAt: new Date(row.expiresAt).toISOString(),
  updatedAt: new Date(row.updatedAt).toISOString(),
});

const sha256 = (...parts: readonly string[]): string => hash("sha256", JSON.stringify(parts), "base64url");

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError("bad_request", "the body is not JSON", { cause });
  }
};

const idempotencyKeyOf = (c: Context): string => {
  const key = c.req.header("Idempotency-Key") ?? "";
  if (key.length === 0 || key.length > 255) throw new AppError("idempotency_key_required", "Idempotency-Key: 1 to 255 characters");
  return key;
};

/** `POST` and `GET /v1/vehicles/{vin}/commands`. */
export const commandRoutes = ({ admission, commands, store, limits }: CommandRoutesContext): Hono => {
  const Wait = z.object({ wait: z.coerce.number().min(0).max(limits.waitSeconds).default(0) });
  const inFlight = new Set<string>();
  const app = new Hono();

  app.post("/:vin/commands", async (c) => {
    const { vehicle, role, requestedBy } = await ownerOf(admission, c);
    const key = idempotencyKeyOf(c);
    const { wait } = parseInput(Wait, c.req.query());
    const text = await c.req.text();
    const body = parseInput(CommandRequest, jsonOf(text));
    if (!maySend(role, body.type)) throw notYours();
    const idempotencyKey = sha256(requestedBy, vehicle.vin, key);
    const bodyHash = sha256(text);
    if (inFlight.has(idempotencyKey)) throw new AppError("idempotency_in_flight", "the same request is being handled");
    inFlight.add(idempotencyKey);
    let row: CommandRow;
    try {
      const repeated = await store.commandByIdempotencyKey(idempotencyKey);
      if (repeated !== null && repeated.bodyHash !== bodyHash) {
        throw new AppError("idempotency_key_reused", "this Idempotency-Key came with another body before");
      }
      if (repeated === null && commands.openFor(vehicle) >= limits.openCommands) {
        throw new AppError("rate_limited", `the vehicle has ${limits.openCommands} open commands`);
      }
      row = repeated ?? (await commands.create(vehicle, { ...body, priority: 0, id: randomUUID(), requestedBy, idempotencyKey, bodyHash }));
    } finally {
      inFlight.delete(idempotencyKey);
    }
    const answer = await commands.waitFor(row, wait * 1000);
    return c.json(toCommand(vehicle, answer), 201, { Location: `/v1/vehicles/${vehicle.vin}/commands/${row.id}` });
  });

  app.get("/:vin/commands/:id", async (c) => {
    const { vehicle } = await ownerOf(admission, c);
    const { wait } = parseInput(Wait, c.req.query());
    const row = await commands.find(vehicle, c.req.param("id"));
    if (row === null) throw new AppError("not_found", "there is no such command");
    return c.json(toCommand(vehicle, await commands.waitFor(row, wait * 1000)));
  });

  return app;
};
