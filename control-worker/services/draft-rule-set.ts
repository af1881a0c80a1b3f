import type { PlacementRuleSet, RuleSetDraft } from "#schema/api/rule-sets.ts";
import type { Deps } from "../deps.ts";
import { listCells } from "../store/cells.ts";
import { findNewestVersion, insertRuleSet, type RuleSetRow } from "../store/rule-sets.ts";
import { commit } from "./commit.ts";
import { toRuleSet } from "./rule-set-view.ts";

/** Keeps rules as the next version; they are used for nothing yet, and say the same for good. */
export const draftRuleSet = async (deps: Deps, createdBy: string, { comment, rules }: RuleSetDraft): Promise<PlacementRuleSet> => {
  const cells = await listCells(deps.database);
  let draft: RuleSetRow | null = null;
  await commit(deps.ledger, async () => {
    const version = (await findNewestVersion(deps.database)) + 1;
    const unused = { canaryPercent: null, activation: null, activatedAt: null };
    draft = { version, state: "draft", comment, rules, createdBy, createdAt: deps.clock(), ...unused };
    const changes = [{ target: `rule-set/${version}`, before: null, after: { comment, rules } }];
    return { statements: [insertRuleSet(draft)], changes, answer: toRuleSet(draft, cells) };
  });
  if (draft === null) throw new Error("nothing was planned");
  return toRuleSet(draft, cells);
};
