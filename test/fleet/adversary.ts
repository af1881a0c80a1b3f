import { decodeJwt } from "jose";
import type { OfferCommand } from "./command-handler.ts";
import type { CommandVerdict } from "./commands.ts";

/** An offer that a vehicle must refuse. */
export type BadOffer = { readonly name: "tampered" | "expired" | "repeated" | "foreign"; readonly token: string; readonly nowMs: number };

/** Characters spread over header, payload and signature; the last one's low bits may carry nothing, so it is left alone. */
const flipped = (token: string, flips: number): string[] =>
  Array.from({ length: flips }, (_, i) => {
    const at = Math.floor(((i + 0.5) / flips) * (token.length - 2));
    const original = token.charAt(at);
    const changed = original === "A" ? "B" : "A";
    return token.slice(0, at) + changed + token.slice(at + 1);
  });

/** The same claims said of another vehicle, under the old signature. */
const forAnotherVin = (token: string, vin: string): string => {
  const [header, , signature] = token.split(".");
  const claims = Buffer.from(JSON.stringify({ ...decodeJwt(token), sub: vin })).toString("base64url");
  return [header, claims, signature].join(".");
};

/** The same claims with no signature at all (RFC 8725 §3.1). */
const unsigned = (token: string): string => {
  const header = Buffer.from(JSON.stringify({ alg: "none", typ: "cloverleaf-command+jwt" })).toString("base64url");
  return `${header}.${token.split(".")[1]}.`;
};

const FLIPS = 12;

type Other = { readonly vin: string; readonly token: string | null };

/** What a hostile network might make of a genuine command; `foreign` is a genuine command of another vehicle. */
export const badOffers = (token: string, nowMs: number, other: Other): BadOffer[] => {
  const expiresAtMs = (decodeJwt(token).exp ?? 0) * 1000;
  const tampered = [...flipped(token, FLIPS), forAnotherVin(token, other.vin), unsigned(token)];
  return [
    ...tampered.map((bad) => ({ name: "tampered" as const, token: bad, nowMs })),
    { name: "expired", token, nowMs: expiresAtMs },
    { name: "expired", token, nowMs: expiresAtMs + 3600_000 },
    ...(other.token === null ? [] : [{ name: "foreign" as const, token: other.token, nowMs }]),
  ];
};

export type Harassment = {
  /** The verdict on the genuine command; the bad ones are judged only when it was executed. */
  readonly genuine: CommandVerdict;
  readonly refused: readonly BadOffer[];
  /** Bad offers that the vehicle executed: there must be none. */
  readonly executed: readonly BadOffer[];
};

/** Offers a command as it arrives on a hostile network: bad ones before and after the genuine one, which comes twice. */
export const harass = async (
  token: string,
  offer: OfferCommand,
  at: { readonly nowMs: number; readonly other: Other },
): Promise<Harassment> => {
  const refused: BadOffer[] = [];
  const executed: BadOffer[] = [];
  const offerAll = async (offers: readonly BadOffer[]) => {
    for (const bad of offers) ((await offer(bad.token, bad.nowMs)).kind === "execute" ? executed : refused).push(bad);
  };
  const offers = badOffers(token, at.nowMs, at.other);
  await offerAll(offers);
  const genuine = await offer(token, at.nowMs);
  if (genuine.kind !== "execute") return { genuine, refused: [], executed };
  await offerAll([{ name: "repeated", token, nowMs: at.nowMs }, ...offers]);
  return { genuine, refused, executed };
};
