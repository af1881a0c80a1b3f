import type { Cell, CellRegistration } from "#schema/api/cells.ts";
import { AppError } from "#schema/api/error.ts";
import type { Endpoints } from "#schema/domain/cell.ts";
import { offendingEndpoint } from "#schema/domain/topology.ts";
import type { Deps } from "../deps.ts";
import { findCell, insertCell } from "../store/cells.ts";
import { type JoinTokenRow, useJoinToken } from "../store/join-tokens.ts";
import { toCell } from "./cell-view.ts";
import { checkJoinToken } from "./check-join-token.ts";
import { commit, type Plan } from "./commit.ts";
import { proveCell } from "./prove-cell.ts";
import { requireCell } from "./require.ts";

/** Endpoints must lie under the token's suffixes, and where vehicles may be sent to. */
export const checkEndpoints = (endpoints: Endpoints, suffixes: readonly string[], allowedHosts: readonly string[]): void => {
  const offending = offendingEndpoint(endpoints, suffixes) ?? offendingEndpoint(endpoints, allowedHosts);
  if (offending !== null) throw new AppError("endpoint_not_allowed", `${offending} is outside the allowed suffixes`);
};

const checkBinding = (deps: Deps, token: JoinTokenRow, registration: CellRegistration): void => {
  if (token.region !== null && token.region !== registration.region)
    throw new AppError("forbidden", `the join token is for ${token.region}`);
  if (token.zone !== registration.zone) throw new AppError("zone_mismatch", `the join token is for ${token.zone ?? "no zone"}`);
  checkEndpoints(registration.endpoints, token.endpointSuffixes, deps.config.allowedHosts);
};

const toRow = (token: JoinTokenRow, registration: CellRegistration, now: number): Parameters<typeof insertCell>[0] => ({
  id: registration.id,
  publicKey: registration.publicKey,
  endpointSuffixes: token.endpointSuffixes,
  isAutoApproved: token.isAutoApproved,
  region: registration.region,
  zone: registration.zone,
  state: "joining",
  health: "healthy",
  endpoints: registration.endpoints,
  ...registration.capacity,
  tags: [],
  release: registration.release,
  createdAt: now,
});

const planRegistration = async (deps: Deps, registration: CellRegistration): Promise<Plan> => {
  const { token, thumbprint, isRepeat } = await checkJoinToken(deps, "cell", registration);
  if (isRepeat) return { statements: [] };
  checkBinding(deps, token, registration);
  if ((await findCell(deps.database, registration.id)) !== null) throw new AppError("conflict", "a cell of this id exists");
  const row = toRow(token, registration, deps.clock());
  const { joinToken: _, ...after } = registration;
  return {
    statements: [...useJoinToken(token.id, { id: registration.id, thumbprint }), insertCell(row)],
    changes: [{ target: `cell/${row.id}`, before: null, after: { ...after, joinTokenId: token.id } }],
  };
};

/** Registers a cell under a join token and asks for its proof. The same token with the same key answers the same again. */
export const registerCell = async (deps: Deps, registration: CellRegistration): Promise<{ cell: Cell; isNew: boolean }> => {
  let isNew = false;
  await commit(deps.ledger, async () => {
    const plan = await planRegistration(deps, registration);
    isNew = plan.statements.length > 0;
    return plan;
  });
  const row = await requireCell(deps, registration.id);
  if (!row.isProven && (await proveCell(deps, row))) return { cell: toCell(await requireCell(deps, row.id)), isNew };
  return { cell: toCell(row), isNew };
};
