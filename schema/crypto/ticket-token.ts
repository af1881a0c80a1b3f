import { parseTicket, type Ticket } from "#schema/domain/ticket.ts";
import { claimedTypOf, type Refused, refused, signJwt, verifyJwt } from "./jwt.ts";
import type { KeyRing, SigningKey } from "./keys.ts";

const TICKET_TYP = "cloverleaf-ticket+jwt";

export const signTicket = (key: SigningKey, ticket: Ticket): Promise<string> =>
  signJwt(key, TICKET_TYP, { ...ticket, aud: [...ticket.aud] });

/** Whether a token says that it is a ticket, before anything is verified. */
export const isTicketToken = (token: string): boolean => claimedTypOf(token) === TICKET_TYP;

export type VerifiedTicket = { readonly kind: "verified"; readonly ticket: Ticket; readonly isExpired: boolean };

/** Verifies a POP's ticket offline. An expired one verifies, and says so: it is evidence of its epoch (design §4.3). */
export const verifyTicket = async (
  token: string,
  policy: { readonly keysOfPop: (pop: string) => KeyRing | undefined; readonly pop: string; readonly nowMs: number },
): Promise<VerifiedTicket | Refused> => {
  const keys = policy.keysOfPop(policy.pop);
  if (keys === undefined) return refused("unknown_key", "no key of this POP is known here");
  const verdict = await verifyJwt(token, { keys, nowMs: policy.nowMs, issuer: policy.pop, types: [TICKET_TYP], isExpiryIgnored: true });
  if (verdict.kind === "refused") return verdict;
  const ticket = parseTicket(verdict.claims);
  if (ticket === null) return refused("claims", "the claims are not a ticket's");
  return { kind: "verified", ticket, isExpired: ticket.exp * 1000 <= policy.nowMs };
};
