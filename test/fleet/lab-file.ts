import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import type { PrivateJwk } from "#schema/crypto/keys.ts";

const PrivateJwkField = z
  .object({ kid: z.string(), kty: z.string(), d: z.string() })
  .catchall(z.unknown())
  .transform((jwk): PrivateJwk => jwk);

const IssuerField = z.object({ issuer: z.string(), privateJwk: PrivateJwkField });

/** What the fleet needs of `lab.json` (design §4.10). */
const LabFile = z.object({
  routers: z.array(z.url()).min(1),
  control: z.url(),
  cells: z.array(z.object({ id: z.string(), zone: z.string().nullable(), http: z.url(), mqtt: z.url() })).min(1),
  adminToken: z.string(),
  device: IssuerField,
  owner: IssuerField,
});
export type LabFile = z.infer<typeof LabFile>;

/** Reads `lab.json` of a running lab; throws an Error that says what to do when there is none. */
export const readLabFile = (dataDir: string): LabFile => {
  const path = join(dataDir, "lab.json");
  try {
    return LabFile.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    throw new Error(`${path} cannot be read: start the lab first (npm run dev), or name its folder with --data`, { cause: error });
  }
};
