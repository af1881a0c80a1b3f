import { createIssuerRing, ROUTER_AUDIENCE, verifyDeviceToken } from "#schema/crypto/device-token.ts";
import { importSigningKey } from "#schema/crypto/keys.ts";
import { signTicket } from "#schema/crypto/ticket-token.ts";
import { createVinKeyer } from "#schema/crypto/vin-keyer.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Topology } from "#schema/domain/topology.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";

type Env = {
  readonly TOPOLOGY: string;
  readonly POP_PRIVATE_JWK: string;
  readonly PEPPER: string;
  readonly ROUTES: { get(key: string): Promise<string | null> };
};
type Step = (request: Request) => unknown;

/** The steps of a cold answer, each alone behind a path of its own. */
const createSteps = async (env: Env): Promise<Readonly<Record<string, Step>>> => {
  const topology = JSON.parse(env.TOPOLOGY) as Topology;
  const issuers = createIssuerRing(topology.issuers, "device");
  const key = await importSigningKey(JSON.parse(env.POP_PRIVATE_JWK));
  const keyer = createVinKeyer(env.PEPPER);
  const cell = "cell-eu-1" as CellId;
  const vinOf = (request: Request) => (request.headers.get("X-Vin") ?? "") as Vin;
  return {
    nothing: () => undefined,
    verify: (request) => {
      const token = (request.headers.get("Authorization") ?? "").slice("Bearer ".length);
      return verifyDeviceToken(token, { issuers, audience: ROUTER_AUDIENCE, revoked: new Set(), nowMs: Date.now() });
    },
    key: (request) => keyer(vinOf(request)),
    read: (request) => env.ROUTES.get(`r/p1/${vinOf(request)}`),
    sign: (request) => {
      const iat = Math.floor(Date.now() / 1000);
      const claims = {
        iss: "pop-bench",
        aud: [cell],
        cell,
        epoch: 1,
        reason: "assigned",
        topologyVersion: 1,
        iat,
        exp: iat + 600,
      } as const;
      return signTicket(key, { ...claims, sub: vinOf(request), vinKey: "A".repeat(22) as VinKey });
    },
  };
};

let steps: Promise<Readonly<Record<string, Step>>> | undefined;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    steps ??= createSteps(env);
    const step = (await steps)[request.url.slice(request.url.lastIndexOf("/") + 1)];
    await step?.(request);
    return new Response("ok", { status: step === undefined ? 404 : 200 });
  },
};
