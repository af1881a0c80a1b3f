import { createIssuerRing, type IssuerRing } from "#schema/crypto/device-token.ts";
import { verifyOperatorToken } from "#schema/crypto/operator-token.ts";
import { highestRole } from "#schema/domain/role.ts";
import type { Config } from "../config.ts";
import type { Deps } from "../deps.ts";
import { isSecret, sha256Hex } from "../services/secrets.ts";
import { findLiveApiToken } from "../store/api-tokens.ts";
import type { OperatorCaller } from "./caller.ts";
import { createProviderKeys } from "./provider-keys.ts";

const API_TOKEN = /^clv_/;

const rings = new WeakMap<Config, IssuerRing>();

const ringOf = (deps: Deps): IssuerRing => {
  const known = rings.get(deps.config);
  if (known !== undefined) return known;
  const operators = deps.config.issuers.filter(({ kind }) => kind === "operator");
  const ring = new Map(createIssuerRing(operators, "operator"));
  for (const trust of operators) {
    if (trust.jwksUri !== undefined) ring.set(trust.issuer, { trust, keys: createProviderKeys(deps, trust.jwksUri) });
  }
  rings.set(deps.config, ring);
  return ring;
};

const verifyApiToken = async (deps: Deps, token: string): Promise<OperatorCaller | null> => {
  if (isSecret(token, deps.config.adminTokenSha256)) return { kind: "operator", actor: "bootstrap", role: "admin", scopes: [] };
  const row = await findLiveApiToken(deps.database, sha256Hex(token), deps.clock());
  return row === null ? null : { kind: "operator", actor: `token:${row.id}`, role: row.role, scopes: row.scopes };
};

const NO_REVOCATIONS: ReadonlySet<string> = new Set();

/** The operator whose API token or OIDC access token this is; null when it is neither, or no longer. */
export const verifyOperator = async (deps: Deps, token: string): Promise<OperatorCaller | null> => {
  if (API_TOKEN.test(token)) return verifyApiToken(deps, token);
  const verdict = await verifyOperatorToken(token, { issuers: ringOf(deps), revoked: NO_REVOCATIONS, nowMs: deps.clock() });
  const role = verdict.kind === "verified" ? highestRole(verdict.roles) : null;
  if (verdict.kind === "refused" || role === null) return null;
  return { kind: "operator", actor: `${verdict.issuer}#${verdict.subject}`, role, scopes: [] };
};
