import { readFileSync } from "node:fs";
import * as z from "zod";
import type { Gbt32960Options } from "./listener.ts";
import { PlatformList } from "./platforms.ts";

const unlessEmpty = <T extends z.ZodType>(schema: T) => z.preprocess((value) => (value === "" ? undefined : value), schema.optional());

/** The environment of this protocol. Without a port it is off. */
export const Gbt32960Environment = z
  .object({
    GBT32960_PORT: unlessEmpty(z.coerce.number().int().min(0).max(65_535)),
    /** PEM: the authorities that issue vehicles' certificates. */
    GBT32960_CLIENT_CA_FILE: unlessEmpty(z.string()),
    /** JSON: the platforms that may connect, with their addresses and the SHA-256 of their passwords. */
    GBT32960_PLATFORMS_FILE: unlessEmpty(z.string()),
    TLS_CERT_FILE: unlessEmpty(z.string()),
    TLS_KEY_FILE: unlessEmpty(z.string()),
  })
  .refine(
    (env) => env.GBT32960_PORT === undefined || (env.TLS_CERT_FILE !== undefined && env.GBT32960_CLIENT_CA_FILE !== undefined),
    "GBT32960_PORT needs TLS_CERT_FILE, TLS_KEY_FILE and GBT32960_CLIENT_CA_FILE: this protocol is spoken over mutual TLS only",
  );

export type Gbt32960Settings = Omit<Gbt32960Options, "host" | "maxConnections">;

/** Reads the environment once; null when the protocol is off. Throws with every fault named. */
export const parseGbt32960Settings = (environment: Readonly<Record<string, string | undefined>>): Gbt32960Settings | null => {
  const parsed = Gbt32960Environment.safeParse(environment);
  if (!parsed.success) throw new Error(`invalid configuration: ${parsed.error.issues.map(({ message }) => message).join("; ")}`);
  const env = parsed.data;
  const {
    GBT32960_PORT: port,
    GBT32960_CLIENT_CA_FILE: clientAuthoritiesFile,
    TLS_CERT_FILE: certificateFile,
    TLS_KEY_FILE: keyFile,
  } = env;
  if (port === undefined || clientAuthoritiesFile === undefined || certificateFile === undefined || keyFile === undefined) return null;
  const platformsFile = env.GBT32960_PLATFORMS_FILE;
  const platforms = platformsFile === undefined ? [] : PlatformList.parse(JSON.parse(readFileSync(platformsFile, "utf8")));
  return { port, clientAuthoritiesFile, certificateFile, keyFile, platforms };
};
