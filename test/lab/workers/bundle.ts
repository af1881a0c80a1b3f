import { build } from "esbuild";
import { ROOT } from "../paths.ts";

/** One ES module of a worker and all it imports, as wrangler would make it. */
export const bundleWorker = async (entry: string): Promise<string> => {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    mainFields: ["browser", "module", "main"],
    external: ["node:*", "cloudflare:*"],
    sourcemap: "inline",
    sourcesContent: false,
    logLevel: "warning",
  });
  return outputFiles[0]?.text ?? "";
};
