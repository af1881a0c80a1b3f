import { type ErrorHandler, Hono, type NotFoundHandler } from "hono";
import { AppError } from "#schema/api/error.ts";
import { problemNotFound, problemOnError } from "#schema/http/problems.ts";
import type { RouterDeps } from "./deps.ts";
import { healthHandler, metricsHandler, readyHandler } from "./handlers/operations.ts";
import { connectHandler, routeHandler } from "./handlers/route.ts";

const HSTS = "max-age=31536000; includeSubDomains";

const hardened = (response: Response): Response => {
  response.headers.set("Strict-Transport-Security", HSTS);
  response.headers.set("X-Content-Type-Options", "nosniff");
  return response;
};

const onError = (deps: RouterDeps): ErrorHandler => {
  const answer = problemOnError(deps.logger);
  return async (error, c) => {
    deps.instruments.requests.inc("refused", error instanceof AppError ? error.code : "internal");
    return hardened(await answer(error, c));
  };
};

const onNotFound: NotFoundHandler = async (c) => hardened(await problemNotFound(c));

/**
 * The router's HTTP interface on any runtime. There is no middleware: a request that matches one handler runs only that, which is a tenth of the hot path's cost.
 */
export const createApp = (deps: RouterDeps): Hono => {
  const app = new Hono();
  app.get("/v1/route", routeHandler(deps));
  app.get("/v1/connect", connectHandler(deps));
  app.get("/healthz", healthHandler());
  app.get("/readyz", readyHandler(deps));
  app.get("/metrics", metricsHandler(deps));
  app.notFound(onNotFound);
  app.onError(onError(deps));
  return app;
};
