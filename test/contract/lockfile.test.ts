import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import * as z from "zod";

const Dependencies = z.record(z.string(), z.string()).default({});
const Lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      dependencies: Dependencies,
      devDependencies: Dependencies,
      optionalDependencies: Dependencies,
    }),
  ),
});

const { packages } = Lock.parse(JSON.parse(readFileSync(resolve(import.meta.dirname, "../../package-lock.json"), "utf8")));

/** Where Node looks for a package from a folder of the lockfile: there, then in each folder above. */
const isLocked = (from: string, name: string): boolean => {
  if (`${from}node_modules/${name}` in packages) return true;
  return from !== "" && isLocked(from.slice(0, from.slice(0, -1).lastIndexOf("node_modules/")), name);
};

test("npm ci takes the lockfile on every platform: each dependency, optional ones of other platforms included, is locked", () => {
  const missing = Object.entries(packages).flatMap(([folder, { dependencies, devDependencies, optionalDependencies }]) => {
    const from = folder === "" ? "" : `${folder}/`;
    const own = folder === "" ? devDependencies : {};
    return Object.keys({ ...dependencies, ...own, ...optionalDependencies }).filter((name) => !isLocked(from, name));
  });
  expect(Object.keys(packages).length).toBeGreaterThan(100);
  expect(missing).toEqual([]);
});
