import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { NODE } from "./paths.ts";

export const POP_RUNTIMES = ["node", "deno", "bun"] as const;
export type PopRuntime = (typeof POP_RUNTIMES)[number];

const ARCH = process.arch === "x64" ? "x64" : "arm64";
const PACKAGES: Readonly<Record<"deno" | "bun", { readonly name: string; readonly binary: string }>> = {
  deno: { name: `@deno/${process.platform}-${ARCH}${process.platform === "linux" ? "-glibc" : ""}`, binary: "deno" },
  bun: { name: `@oven/bun-${process.platform}-${ARCH === "x64" ? "x64" : "aarch64"}`, binary: "bin/bun" },
};

const FLAGS: Readonly<Record<PopRuntime, readonly string[]>> = {
  node: [],
  deno: ["run", "--allow-net", "--allow-env", "--allow-read", "--allow-write", "--allow-sys", "--node-modules-dir=manual", "--no-check"],
  bun: ["run"],
};

const binaryOf = (runtime: PopRuntime): string => {
  if (runtime === "node") return NODE;
  const { name, binary } = PACKAGES[runtime];
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), binary);
  } catch (cause) {
    throw new Error(`${runtime} is not installed: npm has no ${name} for this machine`, { cause });
  }
};

/** The command line that runs a program of this repository on a runtime of the lockfile. */
export const commandOn = (runtime: PopRuntime, script: string): readonly [string, ...string[]] => [
  binaryOf(runtime),
  ...FLAGS[runtime],
  script,
];

/** Whether npm had this runtime for this machine. */
export const isRuntimeInstalled = (runtime: PopRuntime): boolean => {
  try {
    return existsSync(binaryOf(runtime));
  } catch {
    return false;
  }
};
