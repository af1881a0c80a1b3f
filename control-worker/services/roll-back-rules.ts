import { AppError } from "#schema/api/error.ts";
import type { RulesInUse } from "#schema/api/rule-sets.ts";
import type { Deps } from "../deps.ts";
import { findActivatedBefore, findInUse } from "../store/rule-sets.ts";
import { commit, type Plan } from "./commit.ts";
import { changeOf } from "./use-rule-set.ts";

/** A canary is withdrawn; without one the set that was active before comes back, and before the first one there were no rules. */
const planRollback = async (deps: Deps): Promise<Plan> => {
  const inUse = await findInUse(deps.database);
  const canary = inUse.find(({ state }) => state === "canary");
  if (canary !== undefined) return changeOf(canary, { state: "draft", canaryPercent: null });
  const active = inUse.find(({ state }) => state === "active");
  if (active === undefined) throw new AppError("conflict", "no rule set is in use");
  const retired = changeOf(active, { state: "retired" });
  const before = await findActivatedBefore(deps.database, active.activation ?? 0);
  if (before === null) return retired;
  const back = changeOf(before, { state: "active", activatedAt: deps.clock() });
  return { statements: [...retired.statements, ...back.statements], changes: [...retired.changes, ...back.changes] };
};

/** Takes back the last step, in one call. */
export const rollBackRules = async (deps: Deps): Promise<RulesInUse> => {
  await commit(deps.ledger, () => planRollback(deps));
  const inUse = await findInUse(deps.database);
  const versionIn = (state: "active" | "canary"): number | null => inUse.find((set) => set.state === state)?.version ?? null;
  const answer = { active: versionIn("active"), canary: versionIn("canary") };
  deps.logger.info("rules rolled back", answer);
  return answer;
};
