import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { appendVersion, type History, type Version } from "./history.ts";

/** Every write of the KV process, one JSON line each: what a kill -9 leaves behind is read at the next start. */
export type Journal = { readonly versions: readonly Version[]; append(version: Version): void; close(): void };

const readVersions = (path: string): Version[] => {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Version];
      } catch {
        return []; // the last line, torn by the kill; or the empty one behind it
      }
    });
};

const withoutOld = (versions: readonly Version[]): Version[] => {
  const histories = new Map<string, History>();
  for (const version of versions) histories.set(version.key, appendVersion(histories.get(version.key) ?? [], version));
  return [...histories.values()].flat().sort((a, b) => a.writtenAtMs - b.writtenAtMs);
};

/** Opens the journal, rewritten without what no POP can see any more. */
export const openJournal = (path: string): Journal => {
  const versions = withoutOld(readVersions(path));
  const lineOf = (version: Version) => `${JSON.stringify(version)}\n`;
  writeFileSync(`${path}.new`, versions.map(lineOf).join(""), { mode: 0o600 });
  renameSync(`${path}.new`, path);
  const file = openSync(path, "a");
  return { versions, append: (version) => writeSync(file, lineOf(version)), close: () => closeSync(file) };
};
