import { resolve } from "node:path";
import { build } from "esbuild";

/** The router worker as one module, bundled as wrangler does. */
export const bundleRouter = async (): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [resolve(import.meta.dirname, "../../../router-worker/index.ts")],
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: "esnext",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
  });
  return outputFiles[0]?.text ?? "";
};
