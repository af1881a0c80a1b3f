import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import * as z from "zod";
import { generateSigningJwk, type PrivateJwk } from "#schema/crypto/keys.ts";
import type { LabPaths } from "./paths.ts";
import { writePrivately } from "./write-privately.ts";

const PrivateJwkField = z.looseObject({ kid: z.string(), kty: z.string(), d: z.string() }).transform((jwk): PrivateJwk => jwk);
const IssuerField = z.object({ issuer: z.string(), privateJwk: PrivateJwkField });

/** Everything that the lab makes once and uses again at each start. */
const Secrets = z.object({
  adminToken: z.string(),
  pepper: z.object({ id: z.string(), secret: z.string() }),
  /** Vouches for all makers of the lab. */
  device: IssuerField,
  /** Vouches for one maker only: what it signs for another must be refused. */
  deviceNarrow: IssuerField,
  owner: IssuerField,
  popKeys: z.record(z.string(), PrivateJwkField),
  /** By the name of the cell or POP. */
  joinTokens: z.record(z.string(), z.string()),
  isFleetImported: z.boolean(),
});
export type Secrets = z.infer<typeof Secrets>;

const random = () => randomBytes(32).toString("base64url");

const generate = async (): Promise<Secrets> => ({
  adminToken: `clv_${random()}`,
  pepper: { id: "p1", secret: random() },
  device: { issuer: "https://devices.lab.cloverleaf.dev", privateJwk: await generateSigningJwk("device") },
  deviceNarrow: { issuer: "https://one-maker.lab.cloverleaf.dev", privateJwk: await generateSigningJwk("narrow") },
  owner: { issuer: "https://owners.lab.cloverleaf.dev", privateJwk: await generateSigningJwk("owner") },
  popKeys: {},
  joinTokens: {},
  isFleetImported: false,
});

export const saveSecrets = (paths: LabPaths, secrets: Secrets): void => writePrivately(paths.secrets, secrets);

/** The secrets of a data folder, made at its first start; with a key for each POP. */
export const loadSecrets = async (paths: LabPaths, pops: readonly string[]): Promise<Secrets> => {
  const known = existsSync(paths.secrets) ? Secrets.parse(JSON.parse(readFileSync(paths.secrets, "utf8"))) : await generate();
  const missing = pops.filter((pop) => known.popKeys[pop] === undefined);
  const made = await Promise.all(missing.map(async (pop) => [pop, await generateSigningJwk(pop)] as const));
  const secrets = { ...known, popKeys: { ...known.popKeys, ...Object.fromEntries(made) } };
  saveSecrets(paths, secrets);
  return secrets;
};

export const sha256Hex = (text: string): string => createHash("sha256").update(text).digest("hex");
