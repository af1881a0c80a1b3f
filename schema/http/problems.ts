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

/** The id of a request: the caller's own when it is well formed, else a new one; made when it is first needed. */
export const requestIdOf = (c: Context): string => {
  const known = c.get("requestId") as string | undefined;
  if (known !== undefined) return known;
  const given = c.req.header(REQUEST_ID_HEADER) ?? "";
  const id = ACCEPTED_REQUEST_ID.test(given) ? given : crypto.randomUUID();
  c.set("requestId", id);
  return id;
};

/** Gives each request an id and repeats it in the answer. */
export const requestId: MiddlewareHandler = async (c, next) => {
  const id = requestIdOf(c);
  await next();
  c.header(REQUEST_ID_HEADER, id);
};

const answer = (c: Context, error: AppError): Response => {
  const response = problemResponse(error, requestIdOf(c));
  response.headers.set(REQUEST_ID_HEADER, requestIdOf(c));
  return response;
};

/** The one error handler of a program: known errors as they are, unknown ones logged and answered `internal`. */
export const problemOnError =
  (logger: Logger): ErrorHandler =>
  (error, c) => {
    if (error instanceof AppError) {
      if (error.cause !== undefined) logger.warn(error.message, { requestId: requestIdOf(c), code: error.code, cause: error.cause });
      return answer(c, error);
    }
    logger.error("unexpected error", { requestId: requestIdOf(c), error });
    return answer(c, new AppError("internal", "the server failed; the request id finds it in the log"));
  };

export const problemNotFound: NotFoundHandler = (c) => answer(c, new AppError("not_found", "there is nothing at this path"));
