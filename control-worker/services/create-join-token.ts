import type { JoinTokenAnswer, JoinTokenRequest } from "#schema/api/cells.ts";
import type { Deps } from "../deps.ts";
import { insertJoinToken } from "../store/join-tokens.ts";
import { commit } from "./commit.ts";
import { newSecret, sha256Hex } from "./secrets.ts";

/** Makes a join token: for one joiner, expiring, stored as its hash. */
export const createJoinToken = async (deps: Deps, request: JoinTokenRequest): Promise<JoinTokenAnswer> => {
  const id = crypto.randomUUID();
  const token = newSecret("clj_");
  const now = deps.clock();
  const expiresAt = now + request.expiresInSeconds * 1000;
  const { kind, region, zone, endpointSuffixes, autoApprove } = request;
  const row = { id, tokenHash: sha256Hex(token), kind, zone, endpointSuffixes, isAutoApproved: autoApprove, expiresAt, createdAt: now };
  const answer = { id, token, expiresAt: new Date(expiresAt).toISOString() };
  const { tokenHash: _, ...view } = { ...row, region: region ?? null };
  await commit(deps.ledger, async () => ({
    statements: [insertJoinToken({ ...row, region: region ?? null })],
    changes: [{ target: `join-token/${id}`, before: null, after: view }],
    answer,
  }));
  return answer;
};
