import { randomUUID } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";

/** Writes JSON that only its owner may read; a reader sees the old file or the new one, never a part. */
export const writePrivately = (path: string, content: unknown): void => {
  const next = `${path}.${randomUUID()}`;
  writeFileSync(next, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(next, path);
};
