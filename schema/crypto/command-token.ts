import type { Vin } from "#schema/domain/vin.ts";
import { isVin, parseVin } from "#schema/domain/vin.ts";
import { type Refused, refused, signJwt, verifyJwt } from "./jwt.ts";
import type { KeyRing, SigningKey } from "./keys.ts";

const COMMAND_TYP = "cloverleaf-command+jwt";

/** A command as the vehicle gets it: the MQTT payload is the compact JWS of these claims. `iat` and `exp` in seconds. */
export type SignedCommand = {
  readonly cell: string;
  readonly vin: Vin;
  readonly id: string;
  readonly type: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly iat: number;
  readonly exp: number;
};

export const signCommand = (key: SigningKey, command: SignedCommand): Promise<string> =>
  signJwt(key, COMMAND_TYP, {
    iss: command.cell,
    sub: command.vin,
    jti: command.id,
    type: command.type,
    arguments: command.arguments,
    iat: command.iat,
    exp: command.exp,
  });

/** What a vehicle must check before it executes: signature by its cell or standby, its own VIN, not expired (no leeway). */
export const verifyCommand = async (
  token: string,
  policy: { readonly keys: KeyRing; readonly vin: Vin; readonly nowMs: number },
): Promise<{ readonly kind: "verified"; readonly command: SignedCommand } | Refused> => {
  const verdict = await verifyJwt(token, { keys: policy.keys, nowMs: policy.nowMs, types: [COMMAND_TYP] });
  if (verdict.kind === "refused") return verdict;
  const { iss, sub, jti, iat, exp, type, arguments: args } = verdict.claims as Record<string, unknown>;
  const vin = typeof sub === "string" ? parseVin(sub) : null;
  if (vin === null || !isVin(vin) || vin !== policy.vin) return refused("audience", "the command is for another vehicle");
  if (typeof iss !== "string" || typeof jti !== "string" || typeof type !== "string")
    return refused("claims", "iss, jti and type are required");
  if (typeof iat !== "number" || typeof exp !== "number" || typeof args !== "object" || args === null)
    return refused("claims", "iat, exp and arguments are required");
  if (exp * 1000 <= policy.nowMs) return refused("expired", "the command has expired");
  return { kind: "verified", command: { cell: iss, vin, id: jti, type, arguments: args as Record<string, unknown>, iat, exp } };
};
