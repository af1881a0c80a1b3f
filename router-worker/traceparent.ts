import type { Context } from "hono";

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The caller's trace context (W3C Trace Context §3.2), passed on to control; undefined when it is absent or malformed. */
export const traceparentOf = (c: Context): string | undefined => {
  const header = c.req.header("traceparent");
  return header !== undefined && TRACEPARENT.test(header) ? header : undefined;
};
