import { LRUCache } from "lru-cache";
import type { SigningKey } from "#schema/crypto/keys.ts";
import { signTicket } from "#schema/crypto/ticket-token.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { RouteRecord } from "#schema/domain/route.ts";
import { isTicketFresh, TICKET_LIFETIME_SECONDS } from "#schema/domain/ticket.ts";
import type { Topology } from "#schema/domain/topology.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { createBodyWriter, endpointsOf } from "./answer-body.ts";
import type { Clock } from "./clock.ts";
import type { Served } from "./resolve.ts";
import type { Lease, Vehicle } from "./store/port.ts";
import type { HeldTopology } from "./topology-holder.ts";

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
  /** Of the topology: its number, since an answer must not keep the document alive. */
  readonly generation: number;
};

type CachedAnswer = { readonly served: Served; readonly generation: number; readonly answer: Answer };

const isSameServed = (a: Served, b: Served): boolean =>
  a.epoch === b.epoch &&
  a.owner === b.owner &&
  a.cell === b.cell &&
  a.standby === b.standby &&
  a.reason === b.reason &&
  a.ttlSeconds === b.ttlSeconds;

export type Answers = { of(vehicle: Vehicle, served: Served, held: HeldTopology): Promise<Answer> };

/** Signs tickets and writes answers; each is kept for (VIN, decision, topology) while its ticket may be handed out. Bounded: the one used longest ago is made anew. */
export const createAnswers = (options: {
  readonly popId: string;
  readonly signingKey: SigningKey;
  readonly clock: Clock;
  readonly max: number;
}): Answers => {
  const { popId, signingKey, clock } = options;
  const cache = new LRUCache<Vin, CachedAnswer>({ max: options.max });
  const writeBody = createBodyWriter();

  const make = async (vehicle: Vehicle, served: Served, topology: Topology): Promise<Answer> => {
    const { owner, cell, standby, epoch, reason, ttlSeconds } = served;
    const iat = Math.floor(clock.now() / 1000);
    const exp = iat + TICKET_LIFETIME_SECONDS;
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
    const body = writeBody(topology, served, { epoch, reason, ttlSeconds, ticket, expiresAt: new Date(exp * 1000).toISOString() });
    return { cell, epoch, https: endpointsOf(topology, cell).https, ticket, ttlSeconds, body, exp };
  };

  return {
    async of(vehicle, served, { topology, generation }) {
      const cached = cache.get(vehicle.vin);
      const isCurrent = cached?.generation === generation && isSameServed(cached.served, served);
      if (cached !== undefined && isCurrent && isTicketFresh(cached.answer, clock.now() / 1000)) return cached.answer;
      const answer = await make(vehicle, served, topology);
      cache.set(vehicle.vin, { served, generation, answer });
      return answer;
    },
  };
};
