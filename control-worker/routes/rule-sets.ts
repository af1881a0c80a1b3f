import * as z from "zod";
import { CanaryRequest, DryRunReport, PlacementRuleSet, RuleSetDraft, RulesInUse } from "#schema/api/rule-sets.ts";
import { pageOf } from "#schema/api/vehicles.ts";
import { actorOf } from "../auth/caller.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { draftRuleSet } from "../services/draft-rule-set.ts";
import { dryRunRules } from "../services/dry-run-rules.ts";
import { listRuleSets, readRuleSet, requireRuleSet } from "../services/read-rule-set.ts";
import { rollBackRules } from "../services/roll-back-rules.ts";
import { toBytes, toNdjson } from "../services/to-bytes.ts";
import { activateRuleSet, startCanary } from "../services/use-rule-set.ts";
import { PageQuery } from "./cells.ts";

const VersionPath = z.object({ version: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) });
const MAX_DRAFT_BYTES = 2 * 1024 * 1024;

export const ruleSetOperations: readonly Operation[] = [
  defineOperation({
    method: "post",
    path: "/v1/rule-sets",
    summary: "Draft placement rules as the next version; the answer names faulty, unreachable and overlapping ones",
    access: ["operator"],
    idempotency: "accepted",
    maxBodyBytes: MAX_DRAFT_BYTES,
    body: RuleSetDraft,
    answer: PlacementRuleSet,
    status: 201,
    handle: async ({ deps, caller, body }) => ({ status: 201, body: await draftRuleSet(deps, actorOf(caller), body) }),
  }),
  defineOperation({
    method: "post",
    path: "/v1/rule-sets/rollback",
    summary: "Withdraw the canary or, without one, return to the rules that were active before",
    access: ["operator"],
    answer: RulesInUse,
    errors: ["conflict"],
    handle: async ({ deps }) => ({ body: await rollBackRules(deps) }),
  }),
  defineOperation({
    method: "get",
    path: "/v1/rule-sets",
    summary: "List rule sets, newest first",
    access: ["viewer"],
    query: PageQuery.extend({ limit: z.coerce.number().int().min(1).max(50).default(20) }),
    answer: pageOf(PlacementRuleSet),
    handle: async ({ deps, query }) => ({ body: await listRuleSets(deps, query) }),
  }),
  defineOperation({
    method: "get",
    path: "/v1/rule-sets/:version",
    summary: "Read a rule set, reviewed over the cells that there are",
    access: ["viewer"],
    params: VersionPath,
    answer: PlacementRuleSet,
    errors: ["not_found"],
    handle: async ({ deps, params }) => ({ body: await readRuleSet(deps, params.version) }),
  }),
  defineOperation({
    method: "post",
    path: "/v1/rule-sets/:version/dry-run",
    summary: "Who would go elsewhere if all vehicles were placed anew, streamed with progress; changes nothing",
    access: ["viewer"],
    params: VersionPath,
    query: z.object({ changes: z.stringbool().default(false) }),
    answer: DryRunReport,
    answerType: "application/x-ndjson",
    errors: ["not_found"],
    handle: async ({ deps, params, query }) => {
      const { rules } = await requireRuleSet(deps, params.version);
      const headers = { "Content-Type": "application/x-ndjson", "Cache-Control": "no-store" };
      const lines = toBytes(toNdjson(dryRunRules(deps, rules, query.changes)));
      return new Response(ReadableStream.from(lines) as ReadableStream, { headers });
    },
  }),
  defineOperation({
    method: "post",
    path: "/v1/rule-sets/:version/canary",
    summary: "Place a share of the new vehicles by a rule set, always the same ones",
    access: ["operator"],
    params: VersionPath,
    body: CanaryRequest,
    answer: PlacementRuleSet,
    errors: ["not_found", "conflict"],
    handle: async ({ deps, params, body }) => ({ body: await startCanary(deps, params.version, body.percent) }),
  }),
  defineOperation({
    method: "post",
    path: "/v1/rule-sets/:version/activate",
    summary: "Place new vehicles by a rule set; those that have a cell stay where they are",
    access: ["operator"],
    params: VersionPath,
    answer: PlacementRuleSet,
    errors: ["not_found", "conflict"],
    handle: async ({ deps, params }) => ({ body: await activateRuleSet(deps, params.version) }),
  }),
];
