import type { Context, ErrorHandler, MiddlewareHandler, NotFoundHandler } from "hono";
import { AppError, problemResponse } from "#schema/api/error.ts";
import type { Logger } from "./log.ts";

export const REQUEST_ID_HEADER = "X-Request-Id";
const ACCEPTED_REQUEST_ID = /^[A-Za-z0-9_-]{8,64}$/;

declare module "hono" {
  interface ContextVariableMap {
    requestId: string;
  }
}

/** Gives each request an id, the caller's own when it is well formed, and repeats it in the answer. */
export const requestId: MiddlewareHandler = async (c, next) => {
  const given = c.req.header(REQUEST_ID_HEADER) ?? "";
  c.set("requestId", ACCEPTED_REQUEST_ID.test(given) ? given : crypto.randomUUID());
  await next();
  c.header(REQUEST_ID_HEADER, c.get("requestId"));
};

const answer = (c: Context, error: AppError): Response => {
  const response = problemResponse(error, c.get("requestId"));
  response.headers.set(REQUEST_ID_HEADER, c.get("requestId"));
  return response;
};

/** The one error handler of a program: known errors as they are, unknown ones logged and answered `internal`. */
export const problemOnError =
  (logger: Logger): ErrorHandler =>
  (error, c) => {
    if (error instanceof AppError) {
      if (error.cause !== undefined) logger.warn(error.message, { requestId: c.get("requestId"), code: error.code, cause: error.cause });
      return answer(c, error);
    }
    logger.error("unexpected error", { requestId: c.get("requestId"), error });
    return answer(c, new AppError("internal", "the server failed; the request id finds it in the log"));
  };

export const problemNotFound: NotFoundHandler = (c) => answer(c, new AppError("not_found", "there is nothing at this path"));
