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
]);
export type Job = z.infer<typeof Job>;

/** How many were acknowledged or admitted, in how long; per login where it publishes. `busyShare`: of one core, by the generator itself. */
export const Outcome = z.object({ count: z.int(), seconds: z.number(), busyShare: z.number(), perLogin: z.array(z.int()) });
export type Outcome = z.infer<typeof Outcome>;
