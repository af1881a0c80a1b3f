import { signAssertion, signProof } from "#schema/crypto/assertion.ts";
import type { SigningKey } from "#schema/crypto/keys.ts";
import { generateSigningJwk, importSigningKey, publicJwkOf } from "#schema/crypto/keys.ts";
import type { PublicJwk } from "#schema/domain/topology.ts";
import { type Control, call } from "./control.ts";

export type Member = { readonly id: string; readonly key: SigningKey; readonly publicKey: PublicJwk };

export const createMember = async (id: string): Promise<Member> => {
  const jwk = await generateSigningJwk(id);
  return { id, key: await importSigningKey(jwk), publicKey: publicJwkOf(jwk) };
};

/** A fetch that stands for the endpoints of these cells: each proves its key. */
export const proving =
  (...members: readonly Member[]) =>
  async (url: string): Promise<Response> => {
    const { host, searchParams } = new URL(url);
    const member = members.find(({ id }) => host === `${id}.cells.test`);
    if (member === undefined) return new Response(null, { status: 404 });
    return Response.json({ proof: await signProof(member.key, member.id, searchParams.get("nonce") ?? "", Date.now()) });
  };

export const endpointsOf = (id: string) => ({ mqtt: `mqtts://${id}.cells.test:8883`, mqttWs: null, https: `https://${id}.cells.test` });

export const registrationOf = (member: Member, joinToken: string, more: Record<string, unknown> = {}) => ({
  joinToken,
  id: member.id,
  publicKey: member.publicKey,
  region: "here",
  zone: null,
  endpoints: endpointsOf(member.id),
  capacity: { hardLimit: 1000 },
  release: "1.0.0",
  ...more,
});

export const makeToken = async (control: Control, more: Record<string, unknown> = {}): Promise<string> => {
  const body = { kind: "cell", endpointSuffixes: ["cells.test"], autoApprove: true, ...more };
  return String((await call(control.app, "POST", "/v1/join-tokens", { body })).json["token"]);
};

/** A row of an active, published cell, without the ceremony. */
export const addCell = async (
  control: Control,
  member: Member,
  cell: { zone?: string | null; hardLimit?: number; state?: string } = {},
): Promise<void> => {
  const { zone = null, hardLimit = 1000, state = "active" } = cell;
  await control.database.sql(
    `insert into cells (id, public_key, endpoint_suffixes, is_auto_approved, region, zone, state, health, endpoints, endpoints_published_at,
       hard_limit, warn_share, request_share, tags, release, is_proven, created_at)
     values (?, ?, '["cells.test"]', 1, 'here', ?, ?, 'healthy', ?, 1, ?, 0.7, 0.85, '[]', '1.0.0', 1, 1)`,
    member.id,
    JSON.stringify(member.publicKey),
    zone,
    state,
    JSON.stringify(endpointsOf(member.id)),
    hardLimit,
  );
};

export const addPop = async (control: Control, member: Member): Promise<void> => {
  await control.database.sql("insert into pops (id, public_key, created_at) values (?, ?, 1)", member.id, JSON.stringify(member.publicKey));
};

export const assertionOf = (control: Control, member: Member): Promise<string> => signAssertion(member.key, member.id, control.clock.now);

/** The n-th European VIN of a series; position 9 is no check digit there. */
export const vinOf = (n: number, series = "1"): string => `WVWZZZ${series}JZXW${String(n).padStart(6, "0")}`;
