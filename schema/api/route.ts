import * as z from "zod";
import { ROUTE_REASONS } from "#schema/domain/route.ts";
import { CellIdField, EndpointsField, EpochField, PublicJwkField, TimeField } from "./fields.ts";

/** Answer of `GET /v1/route`: the cell to connect to and everything needed to do so. */
export const RouteAnswer = z.object({
  /** The cell to connect to; during a failover the owner's standby. */
  cell: CellIdField,
  epoch: EpochField,
  endpoints: EndpointsField,
  standby: z.object({ cell: CellIdField, endpoints: EndpointsField }).nullable(),
  ticket: z.string(),
  expiresAt: TimeField,
  ttlSeconds: z.int().min(0),
  topologyVersion: z.int().min(0),
  reason: z.enum(ROUTE_REASONS),
  /** Label-aligned host suffixes that the vehicle may be sent to. */
  allowedHosts: z.array(z.string()),
  /** Keys of the cell and its standby (RFC 7517): the vehicle verifies commands with them. */
  commandKeys: z.object({ keys: z.array(PublicJwkField) }),
});
export type RouteAnswer = z.infer<typeof RouteAnswer>;

export const MIN_EPOCH_HEADER = "Cloverleaf-Min-Epoch";
export const TICKET_HEADER = "Cloverleaf-Ticket";
export const EPOCH_HEADER = "Cloverleaf-Epoch";
