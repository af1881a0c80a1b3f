import type { Handler } from "hono";
import { EPOCH_HEADER, TICKET_HEADER } from "#schema/api/route.ts";
import type { Answer } from "../answers.ts";
import type { RouterDeps } from "../deps.ts";
import { redirectTo } from "../redirect.ts";
import { serveKept } from "./serve-kept.ts";
import { serveVehicle } from "./serve-vehicle.ts";

const initOf = new Map<number, ResponseInit>();

/** The headers of an answer, made once for each of the few lifetimes that exist. */
const initFor = (ttlSeconds: number): ResponseInit => {
  const known = initOf.get(ttlSeconds);
  if (known !== undefined) return known;
  const init = { headers: { "Content-Type": "application/json", "Cache-Control": `private, max-age=${ttlSeconds}` } };
  initOf.set(ttlSeconds, init);
  return init;
};

const answered = ({ body, ttlSeconds }: Answer): Response => new Response(body, initFor(ttlSeconds));

/** `GET /v1/route`: the cell of the vehicle that asks, with its ticket. */
export const routeHandler =
  (deps: RouterDeps): Handler =>
  (c) => {
    const kept = serveKept(deps, c);
    return kept === undefined ? serveVehicle(deps, c).then(answered) : answered(kept);
  };

const redirected = ({ https, ticket, epoch }: Answer): Response =>
  redirectTo(https, { [TICKET_HEADER]: ticket, [EPOCH_HEADER]: String(epoch) });

/** `GET /v1/connect`: a redirect to the cell's HTTPS endpoint, the ticket beside it. */
export const connectHandler =
  (deps: RouterDeps): Handler =>
  (c) => {
    const kept = serveKept(deps, c);
    return kept === undefined ? serveVehicle(deps, c).then(redirected) : redirected(kept);
  };
