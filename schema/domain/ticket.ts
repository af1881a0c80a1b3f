import { type CellId, parseCellId } from "./cell.ts";
import { ROUTE_REASONS, type RouteReason } from "./route.ts";
import { isVin, parseVin, type Vin } from "./vin.ts";
import { parseVinKey, type VinKey } from "./vin-key.ts";

/** A POP's short-lived proof that at `epoch` the vehicle belongs to `cell`. `iat` and `exp` are seconds since the epoch. */
export type Ticket = {
  readonly iss: string;
  readonly sub: Vin;
  /** The owner and its standby. */
  readonly aud: readonly CellId[];
  readonly cell: CellId;
  readonly epoch: number;
  readonly reason: RouteReason;
  readonly topologyVersion: number;
  readonly vinKey: VinKey;
  readonly iat: number;
  readonly exp: number;
};

export const TICKET_LIFETIME_SECONDS = 600;
/** A ticket with less time left is not handed out again. */
export const TICKET_MIN_LEFT_SECONDS = 300;

const isCount = (value: unknown): value is number => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

/** Reads the claims of a verified JWT; null when they are not a ticket's. Says nothing about expiry. */
export const parseTicket = (claims: Readonly<Record<string, unknown>>): Ticket | null => {
  const { iss, sub, aud, epoch, reason, topologyVersion, iat, exp } = claims;
  const vin = typeof sub === "string" ? parseVin(sub) : null;
  const cell = parseCellId(claims["cell"]);
  const vinKey = parseVinKey(claims["vinKey"]);
  const audience = (Array.isArray(aud) ? aud : [aud]).map(parseCellId);
  const known = ROUTE_REASONS.find((candidate) => candidate === reason);
  if (typeof iss !== "string" || vin === null || !isVin(vin) || cell === null || vinKey === null || known === undefined) return null;
  if (!isCount(epoch) || epoch < 1 || !isCount(topologyVersion) || !isCount(iat) || !isCount(exp)) return null;
  if (audience.length === 0 || !audience.every((id): id is CellId => id !== null)) return null;
  return { iss, sub: vin, aud: audience, cell, epoch, reason: known, topologyVersion, vinKey, iat, exp };
};

/** Whether a ticket still has the time left that a handed-out ticket must have. */
export const isTicketFresh = (ticket: { readonly exp: number }, nowSeconds: number): boolean =>
  ticket.exp - nowSeconds >= TICKET_MIN_LEFT_SECONDS;
