import type { RuleSetInUse, RulesInUse } from "#schema/domain/rule-set.ts";
import type { PlacementRule } from "#schema/domain/rules.ts";
import { readRulesInUse } from "../store/rule-sets.ts";
import type { Result, Row, Statement } from "../store/statement.ts";

/** The rule sets in use, read with each gathering; of a version that is known only that it still is in use. */
export class RuleBook {
  #known: ReadonlyMap<number, readonly PlacementRule[]> = new Map();

  /** To be read with the facts of placements. */
  get statement(): Statement {
    return readRulesInUse([...this.#known.keys()]);
  }

  /** Reads what `statement` answered. */
  take(result: Result | undefined): RulesInUse {
    const rows = result?.rows ?? [];
    const toSet = (row: Row): RuleSetInUse => {
      const version = Number(row["version"]);
      const text = row["rules"];
      const rules = typeof text === "string" ? (JSON.parse(text) as readonly PlacementRule[]) : (this.#known.get(version) ?? []);
      return { version, rules };
    };
    const active = rows.find((row) => row["state"] === "active");
    const canary = rows.find((row) => row["state"] === "canary");
    const inUse: RulesInUse = {
      active: active === undefined ? null : toSet(active),
      canary: canary === undefined ? null : { ...toSet(canary), percent: Number(canary["percent"]) },
    };
    const sets = [inUse.active, inUse.canary].filter((set) => set !== null);
    this.#known = new Map(sets.map(({ version, rules }) => [version, rules]));
    return inUse;
  }
}
