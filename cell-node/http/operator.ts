import type { Context } from "hono";
import { AppError } from "#schema/api/error.ts";
import { type VerifiedOperator, verifyOperatorToken } from "#schema/crypto/operator-token.ts";
import type { AdmissionContext } from "../admission/admit-vehicle.ts";

export type OperatorRight = "read" | "write";

const ROLES: Readonly<Record<OperatorRight, VerifiedOperator["roles"]>> = {
  read: ["viewer", "operator", "admin"],
  write: ["operator", "admin"],
};

/** Lets through who runs the fleet, by a token of an issuer that the view trusts for it: verified offline, like everything here. */
export const requireOperator =
  ({ world, clock }: Pick<AdmissionContext, "world" | "clock">) =>
  async (c: Context, right: OperatorRight): Promise<void> => {
    const token = /^Bearer (\S+)$/i.exec(c.req.header("Authorization") ?? "")?.[1];
    if (token === undefined) throw new AppError("unauthenticated", "Authorization: Bearer <operator token> is required");
    const { operatorIssuers: issuers, revoked } = world();
    const verdict = await verifyOperatorToken(token, { issuers, revoked, nowMs: clock.nowMs() });
    if (verdict.kind === "refused") throw new AppError("unauthenticated", verdict.detail);
    if (!verdict.roles.some((role) => ROLES[right].includes(role)))
      throw new AppError("forbidden", `one of the roles ${ROLES[right].join(", ")} is required`);
  };
