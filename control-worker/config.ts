import * as z from "zod";
import { ZoneField } from "#schema/api/fields.ts";
import { TrustedIssuerDocument } from "#schema/api/topology.ts";
import { LOG_LEVELS } from "#schema/http/log.ts";

const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.issues.push({ code: "custom", input: text, message: "is not JSON" });
        return z.NEVER;
      }
    })
    .pipe(schema);

/** A trusted issuer, what becomes of authentic vehicles of it that nobody registered, and where an OIDC provider publishes its keys. */
const IssuerPolicy = TrustedIssuerDocument.extend({
  enrol: z.boolean().default(true),
  zone: ZoneField.nullable().default(null),
  jwksUri: z.url({ protocol: /^https?$/ }).optional(),
});
export type IssuerPolicy = z.infer<typeof IssuerPolicy>;

const Pepper = z.object({ id: z.string().regex(/^[a-z0-9]{1,16}$/), secret: z.string().min(32) });
export type Pepper = z.infer<typeof Pepper>;

const Variables = z.object({
  DATABASE_URL: z.string().min(1),
  DATABASE_TOKEN: z.string().min(1).optional(),
  PEPPERS: json(z.array(Pepper).min(1).max(2)),
  ADMIN_TOKEN_SHA256: z.string().regex(/^[0-9a-f]{64}$/),
  ISSUERS: json(z.array(IssuerPolicy)).default([]),
  ALLOWED_HOSTS: json(z.array(z.string().min(1))).default([]),
  PLACEABLE_AFTER_SECONDS: z.coerce.number().min(0).default(90),
  LEASE_SECONDS: z.coerce.number().min(1).max(60).default(5),
  LOG_LEVEL: z.enum(LOG_LEVELS).default("info"),
});

export type Config = {
  readonly databaseUrl: string;
  readonly databaseToken: string | undefined;
  /** Current first. */
  readonly peppers: readonly [Pepper, ...Pepper[]];
  readonly adminTokenSha256: string;
  readonly issuers: readonly IssuerPolicy[];
  readonly allowedHosts: readonly string[];
  readonly placeableAfterSeconds: number;
  readonly leaseSeconds: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
};

/** Reads the worker's variables; throws with every fault named. */
export const parseConfig = (variables: unknown): Config => {
  const parsed = Variables.safeParse(variables);
  if (!parsed.success) throw new Error(`configuration: ${z.prettifyError(parsed.error)}`);
  const { data } = parsed;
  const [current, ...previous] = data.PEPPERS;
  if (current === undefined) throw new Error("configuration: PEPPERS is empty");
  return {
    databaseUrl: data.DATABASE_URL,
    databaseToken: data.DATABASE_TOKEN,
    peppers: [current, ...previous],
    adminTokenSha256: data.ADMIN_TOKEN_SHA256,
    issuers: data.ISSUERS,
    allowedHosts: data.ALLOWED_HOSTS,
    placeableAfterSeconds: data.PLACEABLE_AFTER_SECONDS,
    leaseSeconds: data.LEASE_SECONDS,
    logLevel: data.LOG_LEVEL,
  };
};
