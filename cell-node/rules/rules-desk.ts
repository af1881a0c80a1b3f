import { hash } from "node:crypto";
import { AppError, parseInput } from "#schema/api/error.ts";
import { RuleDryRun, type RuleDryRunAnswer, RuleSet } from "#schema/api/rules.ts";
import { isVin, parseVin, type Vin } from "#schema/domain/vin.ts";
import type { Logger } from "#schema/http/log.ts";
import { dryRunRule } from "./dry-run.ts";
import type { RuleMessage } from "./evaluate-rule.ts";
import { compileRules, type RuleEngine } from "./rule-engine.ts";
import type { RulesStore } from "./rules-file.ts";

export type HistoryQuery = { readonly from: number; readonly to: number; readonly limit: number };

export type RulesDeskContext = {
  readonly store: RulesStore;
  readonly engine: RuleEngine;
  readonly logger: Logger;
  /** Stored telemetry of a vehicle, oldest first; null when this cell does not serve it. */
  readonly historyOf: (vin: Vin, query: HistoryQuery) => Promise<readonly RuleMessage[] | null>;
};

/** The rules as they stand; `version` changes with every change. */
export type KeptRules = { readonly rules: RuleSet; readonly version: string };

export type RulesDesk = {
  current(): KeptRules;
  /** Checks, keeps, then puts to work. Throws `validation_failed`, or `precondition_failed` when `version` is not the current one. */
  replace(body: unknown, version: string): Promise<KeptRules>;
  /** Takes up what was written into the store by another hand; what does not hold is logged, and the rules stay as they are. */
  reload(): Promise<void>;
  dryRun(body: unknown): Promise<RuleDryRunAnswer>;
};

const keep = (rules: RuleSet): KeptRules => ({ rules, version: hash("sha256", JSON.stringify(rules), "base64url").slice(0, 22) });

/** Loads the rules and puts them to work. Throws when those on disk do not hold: the cell says so instead of running without them. */
export const createRulesDesk = async ({ store, engine, logger, historyOf }: RulesDeskContext): Promise<RulesDesk> => {
  let kept = keep(await store.load());
  engine.replace(compileRules(kept.rules, engine.canPerform));
  let saving: Promise<unknown> = Promise.resolve();

  const take = (next: KeptRules): KeptRules => {
    engine.replace(compileRules(next.rules, engine.canPerform));
    kept = next;
    return kept;
  };

  const replace = async (body: unknown, version: string): Promise<KeptRules> => {
    if (version !== kept.version) throw new AppError("precondition_failed", "the rules have changed since they were read");
    const next = keep(parseInput(RuleSet, body));
    compileRules(next.rules, engine.canPerform);
    await store.save(next.rules);
    return take(next);
  };

  return {
    current: () => kept,
    replace(body, version) {
      const replaced = saving.then(() => replace(body, version));
      saving = replaced.catch(() => undefined);
      return replaced;
    },
    async reload() {
      const before = kept.version;
      try {
        const found = keep(await store.load());
        if (found.version !== kept.version && before === kept.version) take(found);
      } catch (error) {
        logger.error("the rules on disk do not hold: the former ones stay at work", { error });
      }
    },
    async dryRun(body) {
      const { rule, vin: text, from, to, limit } = parseInput(RuleDryRun, body);
      const vin = parseVin(text);
      if (!isVin(vin)) throw new AppError("validation_failed", vin.detail, { errors: [{ pointer: "/vin", detail: vin.detail }] });
      const query = {
        from: from === undefined ? 0 : Date.parse(from),
        to: to === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(to),
        limit,
      };
      const history = await historyOf(vin, query);
      if (history === null) throw new AppError("not_found", "this cell does not serve the vehicle");
      return dryRunRule(rule, history);
    },
  };
};
