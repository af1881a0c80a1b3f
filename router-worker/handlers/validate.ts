import type { Handler } from "hono";
import { parseInput } from "#schema/api/error.ts";
import { type ValidateAnswer, ValidateRequest } from "#schema/api/route.ts";
import { judgeCachedRoute } from "#schema/domain/cached-route.ts";
import { authenticateDevice } from "../caller/authenticate.ts";
import type { RouterDeps } from "../deps.ts";
import { type Resolution, resolve } from "../resolve.ts";
import type { HeldTopology } from "../topology-holder.ts";
import { traceparentOf } from "../traceparent.ts";
import { readJsonBody } from "./json-body.ts";
import { topologyOf } from "./serve-vehicle.ts";

const MAX_BODY_BYTES = 4_096;

const verdictOf = (cached: ValidateRequest, resolution: Resolution, { topology: known }: HeldTopology): ValidateAnswer => {
  if (resolution.kind === "refused" && resolution.code === "not_enrolled") {
    return { state: "unknown", steps: [{ action: "enrol" }], topologyVersion: known.version };
  }
  const topology = resolution.kind === "served" ? resolution.held.topology : known;
  const record = resolution.kind === "served" ? { cell: resolution.served.owner, epoch: resolution.served.epoch } : null;
  const { state, steps } = judgeCachedRoute(cached, record, topology);
  return { state, steps: [...steps], topologyVersion: topology.version };
};

/** `POST /v1/route/validate`: whether what the vehicle has cached still holds, and the steps that mend it. */
export const validateHandler =
  (deps: RouterDeps): Handler =>
  async (c) => {
    const held = await topologyOf(deps);
    const { vehicle, issuer } = await authenticateDevice(deps, c, held.trust);
    const cached = parseInput(ValidateRequest, await readJsonBody(c, MAX_BODY_BYTES));
    const ask = { vehicle, issuer, minEpoch: cached.epoch, traceparent: () => traceparentOf(c) };
    const answer = verdictOf(cached, await resolve(deps.resolving, held, ask), held);
    deps.instruments.requests.inc("validated", answer.state);
    return Response.json(answer, { headers: { "Cache-Control": "no-store" } });
  };
