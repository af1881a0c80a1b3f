import type { Handler } from "hono";
import { AppError } from "#schema/api/error.ts";
import type { ExplainAnswer } from "#schema/api/route.ts";
import { isVin, parseVin } from "#schema/domain/vin.ts";
import { requestIdOf } from "#schema/http/problems.ts";
import { authenticateOperator } from "../caller/authenticate.ts";
import type { RouterDeps } from "../deps.ts";
import { serveOf, staleOf } from "../resolve.ts";
import { traceparentOf } from "../traceparent.ts";
import { topologyOf } from "./serve-vehicle.ts";

const secondsOf = (ms: number): number => Math.round(ms) / 1000;

/** `GET /v1/explain?vin=…` (operators): every part of the decision for one vehicle, its age and its origin. Changes nothing, places nobody. */
export const explainHandler =
  (deps: RouterDeps): Handler =>
  async (c) => {
    const held = await topologyOf(deps);
    const caller = await authenticateOperator(deps, c, held.trust);
    const vin = parseVin(c.req.query("vin") ?? "");
    if (!isVin(vin)) throw new AppError("bad_request", `vin: ${vin.detail}`);
    const vehicle = await deps.keyer(vin);
    const { topology } = held;
    const lookup = await deps.resolving.store.find(vehicle);
    const found = lookup.kind === "found" ? lookup : null;
    const served = found === null ? null : (serveOf(found.record, topology) ?? staleOf(found.record, topology));
    const ask = { vehicle, issuer: caller.issuer, minEpoch: null, traceparent: () => traceparentOf(c) };
    const verdict = found === null ? null : await deps.resolving.confirm(ask);
    const owner = found === null ? undefined : topology.cells[found.record.cell];
    const failover = topology.failovers.find(({ cell }) => cell === found?.record.cell);
    deps.logger.info("explained", { requestId: requestIdOf(c), vinKey: vehicle.vinKey, operator: caller.name });
    const answer: ExplainAnswer = {
      pop: deps.popId,
      vinKey: vehicle.vinKey,
      decision: served && {
        cell: served.cell,
        owner: served.owner,
        epoch: served.epoch,
        reason: served.reason,
        ttlSeconds: served.ttlSeconds,
      },
      record: found && { ...found.record, origin: found.origin, ageSeconds: secondsOf(found.ageMs), isVanished: found.isVanished },
      topology: {
        version: topology.version,
        origin: held.origin,
        ageSeconds: secondsOf(deps.clock.now() - held.readAtMs),
        isCanary: held.isCanary,
      },
      owner: owner === undefined ? null : { state: owner.state, health: owner.health, zone: owner.zone, standby: owner.standby },
      failover: failover === undefined ? null : { standby: failover.standby, term: failover.term },
      ruleSetVersion: topology.ruleSetVersion,
      truth: verdict?.kind === "answered" ? { ...verdict.record, rule: verdict.rule } : null,
    };
    return Response.json(answer, { headers: { "Cache-Control": "no-store" } });
  };
