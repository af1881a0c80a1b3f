import { type ErrorHandler, type Handler, Hono, type NotFoundHandler } from "hono";
import { AppError } from "#schema/api/error.ts";
import { problemNotFound, problemOnError } from "#schema/http/problems.ts";
import type { RouterDeps } from "./deps.ts";
import { explainHandler } from "./handlers/explain.ts";
import { openApiHandler } from "./handlers/openapi.ts";
import { healthHandler, metricsHandler, readyHandler } from "./handlers/operations.ts";
import { answerKept, CONNECT_PATH, connectHandler, ROUTE_PATH, routeHandler } from "./handlers/route.ts";
import { validateHandler } from "./handlers/validate.ts";
import { vehiclesHandler } from "./handlers/vehicles.ts";

const HSTS = "max-age=31536000; includeSubDomains";
const MAX_URL_LENGTH = 2_048;
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

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

/** For the two handlers that read further than the path. */
const limited =
  (handler: Handler): Handler =>
  (c, next) => {
    if (c.req.url.length > MAX_URL_LENGTH) throw new AppError("bad_request", `a URL may have ${MAX_URL_LENGTH} characters`);
    return handler(c, next);
  };

/**
 * The router's HTTP interface, on any runtime. There is no middleware, every route has one handler, and a request whose answer is kept does not even come here.
 */
export const createApp = (deps: RouterDeps): Hono => {
  const app = new Hono();
  const serve = (method: "GET" | "POST", path: string, handler: Handler): void => {
    const others = METHODS.filter((other) => other !== method);
    app.on(method, path, handler);
    app.on(others, path, () => {
      throw new AppError("method_not_allowed", `the method here is ${method}`, { headers: { Allow: method } });
    });
  };
  serve("GET", ROUTE_PATH, routeHandler(deps));
  serve("GET", CONNECT_PATH, connectHandler(deps));
  serve("POST", "/v1/route/validate", validateHandler(deps));
  serve("GET", "/v1/explain", limited(explainHandler(deps)));
  serve("GET", "/healthz", healthHandler());
  serve("GET", "/readyz", readyHandler(deps));
  serve("GET", "/metrics", metricsHandler(deps));
  serve("GET", "/openapi.json", openApiHandler());
  app.all("/v1/vehicles/:vin/*", limited(vehiclesHandler(deps)));
  app.notFound(onNotFound);
  app.onError(onError(deps));
  const handle = app.fetch;
  app.fetch = (request, ...rest) => answerKept(deps, request) ?? handle(request, ...rest);
  return app;
};
