import { Hono } from "hono";
import type { Logger } from "#schema/http/log.ts";
import { problemNotFound, problemOnError, requestId } from "#schema/http/problems.ts";
import type { Deps } from "./deps.ts";
import { describeOperations } from "./openapi.ts";
import { mountOperations, type Operation } from "./operation.ts";
import { accessOperations } from "./routes/access.ts";
import { alertOperations } from "./routes/alerts.ts";
import { campaignOperations } from "./routes/campaigns.ts";
import { cellOperations } from "./routes/cells.ts";
import { eventOperations } from "./routes/events.ts";
import { failoverOperations } from "./routes/failover.ts";
import { feedOperations } from "./routes/feed.ts";
import { grantOperations } from "./routes/grants.ts";
import { mountHealth } from "./routes/health.ts";
import { joiningOperations } from "./routes/joining.ts";
import { moveOperations } from "./routes/moves.ts";
import { placementOperations } from "./routes/placements.ts";
import { projectionOperations } from "./routes/projection.ts";
import { ruleSetOperations } from "./routes/rule-sets.ts";
import { syncOperations } from "./routes/sync.ts";
import { vehicleOperations } from "./routes/vehicles.ts";

/** Everything that the control plane answers to, save health and metrics. */
export const OPERATIONS: readonly Operation[] = [
  ...joiningOperations,
  ...accessOperations,
  ...cellOperations,
  ...syncOperations,
  ...placementOperations,
  ...feedOperations,
  ...vehicleOperations,
  ...grantOperations,
  ...ruleSetOperations,
  ...projectionOperations,
  ...eventOperations,
  ...failoverOperations,
  ...alertOperations,
  ...campaignOperations,
  ...moveOperations,
];

/** The control plane over HTTP; `depsOf` makes the dependencies of one request. */
export const createApp = (logger: Logger, depsOf: () => Deps): Hono => {
  const app = new Hono();
  app.use(requestId);
  app.onError(problemOnError(logger));
  app.notFound(problemNotFound);
  mountHealth(app, depsOf);
  app.get("/openapi.json", (c) => c.json(describeOperations(OPERATIONS)));
  mountOperations(app, OPERATIONS, depsOf);
  return app;
};
