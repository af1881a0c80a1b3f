import { type Context, Hono } from "hono";
import { AppError } from "#schema/api/error.ts";
import type { RuleEngine } from "./rule-engine.ts";
import type { RulesDesk } from "./rules-desk.ts";

export type RuleRoutesContext = {
  readonly desk: RulesDesk;
  readonly engine: RuleEngine;
  /** Throws unless the caller may read, or write, the cell's rules. */
  readonly authorize: (c: Context, right: "read" | "write") => Promise<void>;
};

const ifMatchOf = (c: Context): string => {
  const header = c.req.header("If-Match");
  if (header === undefined) throw new AppError("precondition_required", "If-Match: the ETag of GET /v1/rules");
  return header.replace(/^W\//, "").replaceAll('"', "");
};

const bodyOf = (c: Context): Promise<unknown> =>
  c.req.json().catch(() => {
    throw new AppError("bad_request", "the body is not JSON");
  });

/** `GET` `PUT /v1/rules` · `POST /v1/rules/dry-run` · `GET /v1/rules/reports`: for operators. */
export const ruleRoutes = ({ desk, engine, authorize }: RuleRoutesContext): Hono => {
  const app = new Hono();

  app.get("/", async (c) => {
    await authorize(c, "read");
    const { rules, version } = desk.current();
    return c.json(rules, 200, { ETag: `"${version}"` });
  });
  app.put("/", async (c) => {
    await authorize(c, "write");
    const version = ifMatchOf(c);
    const kept = await desk.replace(await bodyOf(c), version);
    return c.json(kept.rules, 200, { ETag: `"${kept.version}"` });
  });
  app.post("/dry-run", async (c) => {
    await authorize(c, "read");
    return c.json(await desk.dryRun(await bodyOf(c)));
  });
  app.get("/reports", async (c) => {
    await authorize(c, "read");
    return c.json({ items: engine.reports(), cursor: null });
  });

  return app;
};
