import { builtinModules } from "node:module";
import { build, type Plugin } from "esbuild";
import { ROOT } from "../paths.ts";

const BUILTIN = new RegExp(`^(node:)?(${builtinModules.filter((name) => !name.startsWith("_")).join("|")})$`);

/** Node's modules are workerd's own (nodejs_compat). An ES module has no `require`: a required one is imported instead, as wrangler does. */
const nodeCompat: Plugin = {
  name: "node-compat",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: BUILTIN }, ({ path, kind }) => {
      const name = `node:${path.replace(/^node:/, "")}`;
      return kind === "require-call" ? { path: name, namespace: "required" } : { path: name, external: true };
    });
    onLoad({ filter: /./, namespace: "required" }, ({ path }) => ({
      contents: `import found from "${path}"; module.exports = found;`,
      loader: "js",
    }));
  },
};

/** One ES module of a worker and all it imports. */
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
    external: ["cloudflare:*"],
    plugins: [nodeCompat],
    sourcemap: "inline",
    sourcesContent: false,
    logLevel: "warning",
  });
  return outputFiles[0]?.text ?? "";
};
