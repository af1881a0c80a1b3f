import * as z from "zod";
import { COMMAND_REPORTS, COMMAND_STATES } from "#schema/domain/command.ts";
import { TimeField, VinField } from "./fields.ts";

/** Body of `POST /v1/vehicles/{vin}/commands` at the cell. */
export const CommandRequest = z
  .object({
    type: z.string().regex(/^[a-z][a-z0-9_.-]{0,63}$/),
    arguments: z.record(z.string(), z.unknown()).default({}),
    /** After this the command is never sent or executed. */
    expiresInSeconds: z.int().min(1).max(86_400).default(60),
  })
  .strict();
export type CommandRequest = z.infer<typeof CommandRequest>;

/** A command as owner apps see it. */
export const Command = z.object({
  id: z.string(),
  vin: VinField,
  type: z.string(),
  arguments: z.record(z.string(), z.unknown()),
  state: z.enum(COMMAND_STATES),
  /** What the vehicle last reported. */
  result: z.record(z.string(), z.unknown()).nullable(),
  createdAt: TimeField,
  expiresAt: TimeField,
  updatedAt: TimeField,
  /** From the order to the end; null until then. */
  latencyMs: z.int().nullable().default(null),
});
export type Command = z.infer<typeof Command>;

/** Payload of `v1/{vin}/commands/{id}/result`. */
export const CommandResult = z.object({ state: z.enum(COMMAND_REPORTS), detail: z.record(z.string(), z.unknown()).optional() });
export type CommandResult = z.infer<typeof CommandResult>;

/** One stored telemetry message. `id` is the vehicle's, else the hash of VIN and payload. */
export const TelemetryItem = z.object({ id: z.string(), receivedAt: TimeField, payload: z.unknown() });
export type TelemetryItem = z.infer<typeof TelemetryItem>;

/** Answer of `GET /v1/vehicles/{vin}/telemetry`: oldest first; complete from `completeFrom` on. */
export const TelemetryPage = z.object({ items: z.array(TelemetryItem), cursor: z.string().nullable(), completeFrom: TimeField });
export type TelemetryPage = z.infer<typeof TelemetryPage>;
