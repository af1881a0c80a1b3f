import { hash, randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import * as z from "zod";
import { checkArguments, maySend, priorityOf } from "#schema/api/command-catalogue.ts";
import { type Command, CommandRequest } from "#schema/api/commands.ts";
import { AppError, parseInput } from "#schema/api/error.ts";
import { isFinal } from "#schema/domain/command.ts";
import type { AdmissionContext } from "../admission/admit-vehicle.ts";
import type { Vehicle } from "../admission/vehicle.ts";
import type { Limits } from "../config.ts";
import type { CommandRow, Store } from "../store/store.ts";
import type { CommandDesk } from "../vehicle/command-desk.ts";
import { jsonOf } from "./json-body.ts";
import { notYours, ownerOf } from "./owner.ts";
import { createPacing } from "./pacing.ts";
import { streamCommand, wantsStream } from "./stream-command.ts";

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
  latencyMs: isFinal(row.state) ? row.updatedAt - row.createdAt : null,
});

const sha256 = (...parts: readonly string[]): string => hash("sha256", JSON.stringify(parts), "base64url");

const idempotencyKeyOf = (c: Context): string => {
  const key = c.req.header("Idempotency-Key") ?? "";
  if (key.length === 0 || key.length > 255) throw new AppError("idempotency_key_required", "Idempotency-Key: 1 to 255 characters");
  return key;
};

/** `POST /v1/vehicles/{vin}/commands`, `GET …/{id}` (server-sent events when asked for) and `POST …/{id}/cancel`. */
export const commandRoutes = ({ admission, commands, store, limits }: CommandRoutesContext): Hono => {
  const Wait = z.object({ wait: z.coerce.number().min(0).max(limits.waitSeconds).default(0) });
  const pace = createPacing("commands", { quota: limits.commands, windowSeconds: limits.paceSeconds }, admission.clock);
  const inFlight = new Set<string>();
  let streams = 0;
  const app = new Hono();

  app.post("/:vin/commands", async (c) => {
    const { vehicle, role, requestedBy } = await ownerOf(admission, c);
    const key = idempotencyKeyOf(c);
    const { wait } = parseInput(Wait, c.req.query());
    const text = await c.req.text();
    const body = parseInput(CommandRequest, jsonOf(text));
    if (!maySend(role, body.type)) throw notYours();
    checkArguments(body.type, body.arguments);
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
      if (repeated === null) pace({ requestedBy, vehicle });
      const priority = priorityOf(body.type);
      row = repeated ?? (await commands.create(vehicle, { ...body, priority, id: randomUUID(), requestedBy, idempotencyKey, bodyHash }));
    } finally {
      inFlight.delete(idempotencyKey);
    }
    const answer = await commands.waitFor(row, wait * 1000);
    return c.json(toCommand(vehicle, answer), 201, { Location: `/v1/vehicles/${vehicle.vin}/commands/${row.id}` });
  });

  const foundOf = async (c: Context, vehicle: Vehicle): Promise<CommandRow> => {
    const row = await commands.find(vehicle, c.req.param("id") ?? "");
    if (row === null) throw new AppError("not_found", "there is no such command");
    return row;
  };

  app.get("/:vin/commands/:id", async (c) => {
    const { vehicle, expiresAtMs } = await ownerOf(admission, c);
    const { wait } = parseInput(Wait, c.req.query());
    const row = await foundOf(c, vehicle);
    if (!wantsStream(c)) return c.json(toCommand(vehicle, await commands.waitFor(row, wait * 1000)));
    if (streams >= limits.commandStreams) throw new AppError("busy", `the cell streams ${limits.commandStreams} commands at once`);
    streams += 1;
    return streamCommand(c, (signal) => commands.watch(row, signal), {
      toCommand: (changed) => toCommand(vehicle, changed),
      untilMs: Math.max(0, expiresAtMs - admission.clock.nowMs()),
      onEnd: () => {
        streams -= 1;
      },
    });
  });

  app.post("/:vin/commands/:id/cancel", async (c) => {
    const { vehicle, role } = await ownerOf(admission, c);
    const row = await foundOf(c, vehicle);
    if (!maySend(role, row.type)) throw notYours();
    const cancelled = row.state === "cancelled" ? row : await commands.cancel(vehicle, row);
    if (cancelled === null) throw new AppError("conflict", "the vehicle may have the command already, or it has ended");
    return c.json(toCommand(vehicle, cancelled));
  });

  return app;
};
