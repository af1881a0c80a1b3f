import { LRUCache } from "lru-cache";
import type { RouteAnswer } from "#schema/api/route.ts";
import type { SigningKey } from "#schema/crypto/keys.ts";
import { signTicket } from "#schema/crypto/ticket-token.ts";
import type { CellId, Endpoints } from "#schema/domain/cell.ts";
import type { RouteRecord } from "#schema/domain/route.ts";
import { isTicketFresh, TICKET_LIFETIME_SECONDS } from "#schema/domain/ticket.ts";
import type { PublicJwk, Topology } from "#schema/domain/topology.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { Clock } from "./clock.ts";
import type { Served } from "./resolve.ts";
import type { Lease, Vehicle } from "./store/port.ts";

/** A finished answer: everything that a response needs, made once per ticket. */
export type Answer = {
  readonly cell: CellId;
  readonly epoch: number;
  readonly https: string;
  readonly ticket: string;
  readonly ttlSeconds: number;
  readonly body: string;
  readonly exp: number;
};

/** An `assigned` answer, which follows from record and topology alone, beside these two. */
export type KeptAnswer = {
  readonly answer: Answer;
  readonly record: RouteRecord;
  readonly lease: Lease;
  readonly topology: Topology;
};

type CachedAnswer = { readonly served: Served; readonly topologyVersion: number; readonly answer: Answer };

const isSameServed = (a: Served, b: Served): boolean =>
  a.epoch === b.epoch &&
  a.owner === b.owner &&
  a.cell === b.cell &&
  a.standby === b.standby &&
  a.reason === b.reason &&
  a.ttlSeconds === b.ttlSeconds;

const endpointsOf = (topology: Topology, id: CellId): Endpoints => {
  const cell = topology.cells[id];
  if (cell === undefined) throw new Error(`decided for ${id}, which the topology does not have`);
  return cell.endpoints;
};

/** The keys with which a command to this vehicle may be signed: owner, cell and standby, each once. */
const commandKeysOf = (topology: Topology, cells: readonly (CellId | null)[]): PublicJwk[] => {
  const ids = new Set(cells.filter((id) => id !== null));
  return [...ids].flatMap((id) => topology.cells[id]?.keys ?? []);
};

export type Answers = { of(vehicle: Vehicle, served: Served, topology: Topology): Promise<Answer> };

/** Signs tickets and writes answers; each is kept for (VIN, decision, topology version) while its ticket may be handed out. Bounded: the one used longest ago is made anew. */
export const createAnswers = (options: {
  readonly popId: string;
  readonly signingKey: SigningKey;
  readonly clock: Clock;
  readonly max: number;
}): Answers => {
  const { popId, signingKey, clock } = options;
  const cache = new LRUCache<Vin, CachedAnswer>({ max: options.max });

  const make = async (vehicle: Vehicle, served: Served, topology: Topology): Promise<Answer> => {
    const { owner, cell, standby, epoch, reason, ttlSeconds } = served;
    const iat = Math.floor(clock.now() / 1000);
    const exp = iat + TICKET_LIFETIME_SECONDS;
    const endpoints = endpointsOf(topology, cell);
    const guest = cell === owner ? standby : cell;
    const ticket = await signTicket(signingKey, {
      iss: popId,
      sub: vehicle.vin,
      aud: guest === null ? [owner] : [owner, guest],
      cell: owner,
      epoch,
      reason,
      topologyVersion: topology.version,
      vinKey: vehicle.vinKey,
      iat,
      exp,
    });
    const body = {
      cell,
      epoch,
      endpoints,
      standby: standby === null ? null : { cell: standby, endpoints: endpointsOf(topology, standby) },
      ticket,
      expiresAt: new Date(exp * 1000).toISOString(),
      ttlSeconds,
      topologyVersion: topology.version,
      reason,
      allowedHosts: [...topology.allowedHosts],
      commandKeys: { keys: commandKeysOf(topology, [owner, cell, standby]) as RouteAnswer["commandKeys"]["keys"] },
    } satisfies RouteAnswer;
    return { cell, epoch, https: endpoints.https, ticket, ttlSeconds, body: JSON.stringify(body), exp };
  };

  return {
    async of(vehicle, served, topology) {
      const cached = cache.get(vehicle.vin);
      const isCurrent = cached?.topologyVersion === topology.version && isSameServed(cached.served, served);
      if (cached !== undefined && isCurrent && isTicketFresh(cached.answer, clock.now() / 1000)) return cached.answer;
      const answer = await make(vehicle, served, topology);
      cache.set(vehicle.vin, { served, topologyVersion: topology.version, answer });
      return answer;
    },
  };
};
