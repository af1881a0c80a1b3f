import { PROOF_PATH, ProofAnswer } from "#schema/api/cells.ts";
import { verifyProof } from "#schema/crypto/assertion.ts";
import { createKeyRing } from "#schema/crypto/keys.ts";
import { advanceCell, type CellId } from "#schema/domain/cell.ts";
import type { Deps } from "../deps.ts";
import type { CellRow } from "../store/cells.ts";
import { commit, type Plan } from "./commit.ts";
import { planCellUpdate } from "./plan-cell-update.ts";
import { readBounded } from "./read-bounded.ts";
import { requireCell } from "./require.ts";
import { newSecret } from "./secrets.ts";

const TIMEOUT_MS = 3_000;
/** The endpoint is the joiner's own. */
const MAX_ANSWER_BYTES = 8_192;

/** What is wrong with the cell's proof, or null: the key of the registration signs our nonce at the registered endpoint. */
const askForProof = async (deps: Deps, cell: CellRow): Promise<string | null> => {
  const nonce = newSecret("");
  const url = `${cell.endpoints.https.replace(/\/$/, "")}${PROOF_PATH}?nonce=${nonce}`;
  try {
    const response = await deps.fetch(url, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (response.status !== 200) return `the endpoint answered ${response.status}`;
    const answer = ProofAnswer.safeParse(JSON.parse(await readBounded(response, MAX_ANSWER_BYTES)));
    if (!answer.success) return "the endpoint's answer is no proof";
    const policy = { keys: createKeyRing([cell.publicKey]), cell: cell.id, nonce, nowMs: deps.clock() };
    const verdict = await verifyProof(answer.data.proof, policy);
    return verdict.kind === "verified" ? null : verdict.detail;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

const planProven = async (deps: Deps, id: CellId): Promise<Plan> => {
  const row = await requireCell(deps, id);
  const state = row.isAutoApproved ? (advanceCell(row.state, "approve") ?? row.state) : row.state;
  return planCellUpdate(row, { isProven: true, state });
};

/** Asks a cell to prove its key at its endpoint; a proven one goes active when its token said so. Whether it is proven. */
export const proveCell = async (deps: Deps, cell: CellRow): Promise<boolean> => {
  const fault = await askForProof(deps, cell);
  if (fault !== null) {
    deps.logger.warn("cell not proven", { cell: cell.id, fault });
    return false;
  }
  await commit(deps.ledger, () => planProven(deps, cell.id));
  deps.logger.info("cell proven", { cell: cell.id });
  return true;
};
