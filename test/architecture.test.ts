import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");
const PROGRAMS = ["router-worker", "control-worker", "cell-node"];

type Rule = { readonly from: RegExp; readonly allowed: RegExp };

/** A file matched by `from` imports only what matches `allowed`; the first rule that matches a file holds. */
const RULES: readonly Rule[] = [
  { from: /^schema\/domain\//, allowed: /^schema\/domain\// },
  { from: /^schema\/api\//, allowed: /^(schema\/(domain|api)\/|zod$)/ },
  { from: /^schema\/crypto\//, allowed: /^(schema\/(domain|crypto)\/|jose$)/ },
  { from: /^schema\/http\//, allowed: /^(schema\/(domain|api|http)\/|hono(\/|$))/ },
  { from: /^schema\/db\/.*\.config\.ts$/, allowed: /^drizzle-kit$/ },
  { from: /^schema\/db\/migrate\.ts$/, allowed: /^(schema\/db\/|drizzle-orm|@libsql\/client|node:)/ },
  { from: /^schema\/db\//, allowed: /^(schema\/(domain|db)\/|drizzle-orm)/ },
  { from: /^control-worker\/routes\//, allowed: /^(schema\/|control-worker\/(?!store\/|publish)|hono|zod|prom-client|node:)/ },
  { from: /^control-worker\/services\//, allowed: /^(schema\/(?!http\/)|control-worker\/(?!routes\/)|csv-parse|node:)/ },
  { from: /^control-worker\/store\//, allowed: /^(schema\/|control-worker\/(?!routes\/|services\/)|drizzle-orm|@libsql\/)/ },
];

const sourcesIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => join(folder, name));

const importsOf = (file: string): string[] => {
  const text = readFileSync(join(ROOT, file), "utf8");
  const specifiers = [...text.matchAll(/(?<![/"\w])(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
  return specifiers.map((specifier) => {
    if (specifier.startsWith(".")) return relative(ROOT, resolve(ROOT, dirname(file), specifier));
    return specifier.replace(/^#/, "");
  });
};

const violations = (files: readonly string[], isAllowed: (file: string, target: string) => boolean): string[] =>
  files.flatMap((file) =>
    importsOf(file)
      .filter((target) => !isAllowed(file, target))
      .map((target) => `${file} -> ${target}`),
  );

describe("architecture", () => {
  const programFiles = PROGRAMS.flatMap(sourcesIn);
  const all = [...sourcesIn("schema"), ...programFiles];

  test("there is something to check", () => {
    expect(all.length).toBeGreaterThan(30);
    expect(all.flatMap(importsOf).length).toBeGreaterThan(60);
  });

  test("each layer imports only what its rule allows", () => {
    const holds = (file: string, target: string) => {
      const rule = RULES.find(({ from }) => from.test(file));
      return rule === undefined || rule.allowed.test(target);
    };
    expect(violations(all, holds)).toEqual([]);
  });

  test("programs never import each other or the tests", () => {
    const holds = (file: string, target: string) => {
      const [program] = file.split("/");
      return ![...PROGRAMS, "test"].some((other) => other !== program && target.startsWith(`${other}/`));
    };
    expect(violations(programFiles, holds)).toEqual([]);
  });

  test("the top level is the one of the design", () => {
    const folders = readdirSync(ROOT, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules")
      .map((entry) => entry.name);
    expect(folders.sort()).toEqual(["cell-node", "control-worker", "router-worker", "schema", "test"]);
  });
});
