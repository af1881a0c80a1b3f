import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { generateSigningJwk, importSigningKey, type PrivateJwk, publicJwkOf, type SigningKey } from "#schema/crypto/keys.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { PublicJwk } from "#schema/domain/topology.ts";

/** The cell's own key: signs its calls, its proof and its commands. */
export type Identity = { readonly publicKey: PublicJwk; readonly key: SigningKey };

const KEY_FILE = "cell-key.json";

const readKey = async (path: string): Promise<PrivateJwk | null> => {
  try {
    return JSON.parse(await readFile(path, "utf8")) as PrivateJwk;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
};

/** Whole or not at all, readable by its owner only, on disk before it is used. */
const writeKey = async (path: string, jwk: PrivateJwk): Promise<void> => {
  const draft = `${path}.new`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(JSON.stringify(jwk));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
};

/** Reads the key from the data folder, or makes it at the first start. */
export const loadIdentity = async (dataFolder: string, cell: CellId): Promise<Identity> => {
  const path = join(dataFolder, KEY_FILE);
  const known = await readKey(path);
  const jwk = known ?? (await generateSigningJwk(cell));
  if (known === null) await writeKey(path, jwk);
  return { publicKey: publicJwkOf(jwk), key: await importSigningKey(jwk) };
};
