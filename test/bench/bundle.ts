import { join } from "node:path";
import { build } from "esbuild";

const ROOT = join(import.meta.dirname, "../..");

/** A worker as one module, bundled with wrangler's conditions. */
export const bundleWorker = async (entry: string): Promise<string> => {
  const { outputFiles } = await build({
    ...{ entryPoints: [join(ROOT, entry)], bundle: true, write: false, minify: true },
    ...{ format: "esm", target: "esnext", conditions: ["workerd", "worker", "browser"], external: ["cloudflare:*", "node:*"] },
  });
  const [output] = outputFiles;
  if (output === undefined) throw new Error(`${entry} was bundled to nothing`);
  return output.text;
};
