import { OPERATOR_ROLES, type OperatorRole } from "#schema/domain/role.ts";
import { claimedIssuerOf, type IssuerRing, ROUTER_AUDIENCE } from "./device-token.ts";
import { type Refused, refused, signJwt, verifyJwt } from "./jwt.ts";
import { PROVIDER_ALGORITHMS, type SigningKey } from "./keys.ts";

export type VerifiedOperator = {
  readonly kind: "verified";
  readonly subject: string;
  readonly issuer: string;
  readonly roles: readonly OperatorRole[];
  readonly expiresAtSeconds: number;
};

const MAX_LIFETIME_SECONDS = 12 * 3600;

/** Verifies an operator's access token and reads its `roles`; a token without a known role is refused. */
export const verifyOperatorToken = async (
  token: string,
  policy: { readonly issuers: IssuerRing; readonly revoked: ReadonlySet<string>; readonly nowMs: number },
): Promise<VerifiedOperator | Refused> => {
  const issuer = claimedIssuerOf(token, policy.issuers);
  if (issuer.kind === "refused") return issuer;
  const verdict = await verifyJwt(token, {
    keys: issuer.keys,
    nowMs: policy.nowMs,
    audience: ROUTER_AUDIENCE,
    issuer: issuer.trust.issuer,
    types: ["at+jwt", "JWT"],
    algorithms: PROVIDER_ALGORITHMS,
    maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
  });
  if (verdict.kind === "refused") return verdict;
  const { claims, kid } = verdict;
  if ([claims.jti, kid].some((id) => id !== undefined && policy.revoked.has(id))) return refused("revoked", "the credential was revoked");
  const named: unknown = claims["roles"];
  const roles = OPERATOR_ROLES.filter((role) => Array.isArray(named) && named.includes(role));
  if (typeof claims.sub !== "string" || roles.length === 0) return refused("claims", "sub and a known role are required");
  return { kind: "verified", subject: claims.sub, issuer: issuer.trust.issuer, roles, expiresAtSeconds: claims.exp ?? 0 };
};

/** Signs an operator's access token. */
export const signOperatorToken = (
  key: SigningKey,
  operator: { readonly subject: string; readonly issuer: string; readonly roles: readonly OperatorRole[]; readonly nowMs: number },
): Promise<string> => {
  const iat = Math.floor(operator.nowMs / 1000);
  return signJwt(key, "at+jwt", {
    iss: operator.issuer,
    sub: operator.subject,
    aud: ROUTER_AUDIENCE,
    roles: [...operator.roles],
    iat,
    exp: iat + 3600,
    jti: crypto.randomUUID(),
  });
};
