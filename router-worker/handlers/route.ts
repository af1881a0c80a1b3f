import type { Handler } from "hono";
import { EPOCH_HEADER, TICKET_HEADER } from "#schema/api/route.ts";
import type { Answer } from "../answers.ts";
import type { RouterDeps } from "../deps.ts";
import { redirectTo } from "../redirect.ts";
import { serveKept } from "./serve-kept.ts";
import { serveVehicle } from "./serve-vehicle.ts";

export const ROUTE_PATH = "/v1/route";
export const CONNECT_PATH = "/v1/connect";
/** Behind it, in any http or https URL, the first slash begins the path. */
const SCHEME_LENGTH = "https://".length;

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

const redirected = ({ https, ticket, epoch }: Answer): Response =>
  redirectTo(https, { [TICKET_HEADER]: ticket, [EPOCH_HEADER]: String(epoch) });

/** How an answer is said on the two calls that give it. */
const SAID: Readonly<Record<string, (answer: Answer) => Response>> = { [ROUTE_PATH]: answered, [CONNECT_PATH]: redirected };

/** `GET /v1/route`: the cell of the vehicle that asks, with its ticket. */
export const routeHandler =
  (deps: RouterDeps): Handler =>
  async (c) =>
    answered(await serveVehicle(deps, c));

/** `GET /v1/connect`: a redirect to the cell's HTTPS endpoint, the ticket beside it. */
export const connectHandler =
  (deps: RouterDeps): Handler =>
  async (c) =>
    redirected(await serveVehicle(deps, c));

const answerKeptAt = (deps: RouterDeps, path: string, request: Request): Response | undefined => {
  const say = request.method === "GET" ? SAID[path] : undefined;
  const kept = say === undefined ? undefined : serveKept(deps, request.headers);
  return kept === undefined ? undefined : say?.(kept);
};

/** Both calls again, for a request whose answer is kept: undefined sends it to its handler. Runs before the framework, which costs more than all of this. */
export const answerKept = (deps: RouterDeps, request: Request): Response | undefined => {
  const { url } = request;
  return answerKeptAt(deps, url.slice(url.indexOf("/", SCHEME_LENGTH)), request);
};

export type Fetch = (request: Request) => Response | Promise<Response>;

/** Both calls by their paths, for a server that finds paths itself; `otherwise` answers what is not kept. */
export const keptRoutes = (deps: RouterDeps, otherwise: Fetch): Readonly<Record<string, Fetch>> =>
  Object.fromEntries(
    Object.keys(SAID).map((path) => [path, (request: Request) => answerKeptAt(deps, path, request) ?? otherwise(request)]),
  );
