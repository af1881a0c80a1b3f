import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateSigningJwk, type PrivateJwk } from "#schema/crypto/keys.ts";

const readKey = async (path: string): Promise<PrivateJwk | null> => {
  try {
    return JSON.parse(await readFile(path, "utf8")) as PrivateJwk;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
};

/** The POP's own key: made at the first start, readable by its user only, and the same ever after. */
export const loadPopKey = async (dataDir: string, popId: string): Promise<PrivateJwk> => {
  await mkdir(dataDir, { recursive: true });
  const path = join(dataDir, "pop-key.json");
  const known = await readKey(path);
  if (known !== null) return known;
  const made = await generateSigningJwk(popId);
  await writeFile(`${path}.draft`, JSON.stringify(made), { mode: 0o600 });
  await rename(`${path}.draft`, path);
  return made;
};
