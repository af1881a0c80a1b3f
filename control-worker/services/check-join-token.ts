import { AppError } from "#schema/api/error.ts";
import { createKeyRing, thumbprintOf } from "#schema/crypto/keys.ts";
import type { JoinerKind } from "#schema/db/control/tables.ts";
import type { PublicJwk } from "#schema/domain/topology.ts";
import type { Deps } from "../deps.ts";
import { findJoinToken, type JoinTokenRow } from "../store/join-tokens.ts";
import { sha256Hex } from "./secrets.ts";

export type Joiner = { readonly joinToken: string; readonly id: string; readonly publicKey: PublicJwk };
export type CheckedToken = { readonly token: JoinTokenRow; readonly thumbprint: string; readonly isRepeat: boolean };

const checkKey = async (jwk: PublicJwk): Promise<string> => {
  try {
    const key = await createKeyRing([jwk]).find(jwk.kid, jwk.kty === "EC" ? "ES256" : "EdDSA");
    if (key === undefined) throw new TypeError("no usable key");
    return await thumbprintOf(jwk);
  } catch (cause) {
    const errors = [{ pointer: "/publicKey", detail: "is not an Ed25519 or P-256 public key" }];
    throw new AppError("validation_failed", "/publicKey is not an Ed25519 or P-256 public key", { cause, errors });
  }
};

/** Whether this joiner may use this token: unused and fresh, or used before by the same id with the same key. */
export const checkJoinToken = async (deps: Deps, kind: JoinerKind, joiner: Joiner): Promise<CheckedToken> => {
  const thumbprint = await checkKey(joiner.publicKey);
  const token = await findJoinToken(deps.database, sha256Hex(joiner.joinToken));
  if (token === null) throw new AppError("unauthenticated", "the join token is not known");
  if (token.kind !== kind) throw new AppError("forbidden", `the join token is for a ${token.kind}`);
  if (token.usedBy !== null) {
    if (token.usedByKey !== thumbprint) throw new AppError("join_token_used", "the join token was used with another key");
    if (token.usedBy !== joiner.id) throw new AppError("conflict", "the join token was used under another id");
    return { token, thumbprint, isRepeat: true };
  }
  if (token.expiresAt <= deps.clock()) throw new AppError("unauthenticated", "the join token has expired");
  return { token, thumbprint, isRepeat: false };
};
