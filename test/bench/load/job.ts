import * as z from "zod";

const Login = z.object({ clientId: z.string(), password: z.string().nullable() });

/** What the generator's process is told, as JSON on its standard input. */
export const Job = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("publish"),
    port: z.int(),
    seconds: z.number(),
    inFlight: z.int(),
    /** Distinguishes the ids of this run from all others. */
    run: z.string(),
    logins: z.array(Login),
  }),
  z.object({
    kind: z.literal("connect"),
    port: z.int(),
    seconds: z.number(),
    /** Each slot connects with its own logins in turn, one at a time: no login is used twice at once. */
    slots: z.array(z.array(Login)),
  }),
  z.object({
    kind: z.literal("drain"),
    port: z.int(),
    connections: z.int(),
    /** Whole HTTP requests; each is sent once, one at a time on each connection. */
    requests: z.array(z.string()),
  }),
  z.object({
    kind: z.literal("pace"),
    port: z.int(),
    connections: z.int(),
    requests: z.array(z.string()),
    /** Requests fall due at this rate, however fast the answers come; the list is sent in turn. */
    perSecond: z.number(),
    seconds: z.number(),
  }),
]);
export type Job = z.infer<typeof Job>;

/**
 * How many were acknowledged, admitted or answered, in how long; per login where it publishes. `busyShare`: of one core, by the generator itself.
 * `p99Ms`: from the moment a request fell due to its answer, where they are paced.
 */
export const Outcome = z.object({
  count: z.int(),
  seconds: z.number(),
  busyShare: z.number(),
  perLogin: z.array(z.int()),
  p99Ms: z.number().optional(),
});
export type Outcome = z.infer<typeof Outcome>;
