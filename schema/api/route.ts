import * as z from "zod";
import { CACHED_ROUTE_STATES } from "#schema/domain/cached-route.ts";
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

const EndpointsPart = EndpointsField.partial();

/** Body of `POST /v1/route/validate`: what the vehicle has cached. Endpoints that it does not send are not compared. */
export const ValidateRequest = z.object({ cell: CellIdField, epoch: EpochField, endpoints: EndpointsPart.default({}) }).strict();
export type ValidateRequest = z.infer<typeof ValidateRequest>;

/** One thing that the vehicle does to mend what it has cached. */
export const MendingStep = z.discriminatedUnion("action", [
  /** Ask `GET /v1/route` again, with this `Cloverleaf-Min-Epoch`. */
  z.object({ action: z.literal("resolve"), minEpoch: EpochField }),
  /** Connect there with the new ticket. */
  z.object({ action: z.literal("connect"), cell: CellIdField, endpoints: EndpointsField }),
  /** Stay connected: the cell itself tells the vehicle where to go. */
  z.object({ action: z.literal("wait_for_move") }),
  /** Have the vehicle enrolled: nothing is known of it. */
  z.object({ action: z.literal("enrol") }),
]);

/** Answer of `POST /v1/route/validate`. Without steps there is nothing to mend. */
export const ValidateAnswer = z.object({
  state: z.enum(CACHED_ROUTE_STATES),
  steps: z.array(MendingStep),
  topologyVersion: z.int(),
});
export type ValidateAnswer = z.infer<typeof ValidateAnswer>;

/** Answer of `GET /v1/explain?vin=…`: why this vehicle is sent where it is, and how old each part of the decision is. */
export const ExplainAnswer = z.object({
  pop: z.string(),
  vinKey: z.string(),
  /** What the edge would answer now; null when it would refuse. */
  decision: z
    .object({ cell: z.string(), owner: z.string(), epoch: z.int(), reason: z.enum(ROUTE_REASONS), ttlSeconds: z.int() })
    .nullable(),
  record: z.object({ cell: z.string(), epoch: z.int(), origin: z.string(), ageSeconds: z.number(), isVanished: z.boolean() }).nullable(),
  topology: z.object({ version: z.int(), origin: z.string(), ageSeconds: z.number(), isCanary: z.boolean() }),
  owner: z.object({ state: z.string(), health: z.string(), zone: z.string().nullable(), standby: z.string().nullable() }).nullable(),
  failover: z.object({ standby: z.string(), term: z.int() }).nullable(),
  ruleSetVersion: z.int().nullable(),
  /** Control's own word on a vehicle that has a record; null when control is away or was not asked. */
  truth: z.object({ cell: z.string(), epoch: z.int(), rule: z.string().nullable() }).nullable(),
});
export type ExplainAnswer = z.infer<typeof ExplainAnswer>;
