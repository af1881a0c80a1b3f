import { serve } from "@hono/node-server";
import { Hono } from "hono";
import type { SyncRequest } from "#schema/api/sync.ts";
import { generateSigningJwk, importSigningKey, type PrivateJwk, publicJwkOf, type SigningKey } from "#schema/crypto/keys.ts";
import type { CellId, Endpoints } from "#schema/domain/cell.ts";
import type { PublicJwk, TrustedIssuer } from "#schema/domain/topology.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";

export type Change = { vin: Vin; vinKey: VinKey; epoch: number; cell: CellId | null };

export type Signer = { readonly key: SigningKey; readonly jwk: PublicJwk };

export const createSigner = async (prefix: string): Promise<Signer> => {
  const jwk: PrivateJwk = await generateSigningJwk(prefix);
  return { key: await importSigningKey(jwk), jwk: publicJwkOf(jwk) };
};

/** The control plane's half of sync, spoken over real HTTP from a list of changes: only what a cell sees of it. */
export type Control = {
  readonly url: string;
  readonly pop: Signer;
  readonly device: Signer;
  readonly owner: Signer;
  readonly operator: Signer;
  /** Appends to the feed. */
  assign(...changes: readonly Change[]): void;
  readonly view: {
    endpoints: Record<string, Endpoints>;
    revoked: string[];
    standbyFor: CellId[];
    failedOver: { cell: CellId; term: number }[];
  };
  /** What the view of one cell has of its own. */
  viewOf: ((cell: CellId) => Readonly<Record<string, unknown>>) | null;
  /** Makes the next syncs carry the view as it is now. */
  publishView(): void;
  /** What cells have sent, newest last. */
  readonly requests: SyncRequest[];
  readonly registrations: unknown[];
  /** Members that are added to each answer. */
  extend: ((cell: CellId, request: SyncRequest) => Readonly<Record<string, unknown>>) | null;
  /** Answers instead of the sync while set. */
  answerWith: (() => Response) | null;
  /** Added to `now`: control lives in another time. */
  skewMs: number;
  timeline: number;
  pageSize: number;
  stop(): Promise<void>;
};

export const POP = "pop-1";
export const DEVICE_ISSUER = "https://devices.test";
export const OWNER_ISSUER = "https://owners.test";
export const OPERATOR_ISSUER = "https://operators.test";

export const startControl = async (port = 0): Promise<Control> => {
  const [pop, device, owner] = await Promise.all([createSigner("pop"), createSigner("dev"), createSigner("own")]);
  const operator = await createSigner("ops");
  const feed: Change[] = [];
  let version = 1;
  const cellKeys: Record<string, PublicJwk[]> = {};
  const issuers: TrustedIssuer[] = [
    { issuer: DEVICE_ISSUER, kind: "device", wmis: [""], keys: [device.jwk] },
    { issuer: OWNER_ISSUER, kind: "owner", wmis: [], keys: [owner.jwk] },
    { issuer: OPERATOR_ISSUER, kind: "operator", wmis: [], keys: [operator.jwk] },
  ];
  const state = {
    view: { endpoints: {}, revoked: [], standbyFor: [], failedOver: [] } as Control["view"],
    requests: [] as SyncRequest[],
    registrations: [] as unknown[],
    viewOf: null as Control["viewOf"],
    extend: null as Control["extend"],
    answerWith: null as Control["answerWith"],
    skewMs: 0,
    timeline: 1,
    pageSize: 100,
  };

  /** `timeline.kind.position`: s(napshot) or i(ncrement), from that position of the feed. */
  const answer = (cell: CellId, request: SyncRequest) => {
    const [timeline, kind = "s", position = "0"] = request.cursor?.split(".") ?? [String(state.timeline)];
    if (timeline !== String(state.timeline)) return null;
    const isSnapshot = kind === "s";
    const last = new Map(feed.map((change) => [change.vin, change]));
    const source = isSnapshot ? [...last.values()].filter((change) => change.cell === cell) : feed;
    const from = Number(position);
    const changes = source.slice(from, from + state.pageSize);
    const hasMore = from + changes.length < source.length;
    const next = isSnapshot && !hasMore ? `i.${feed.length}` : `${kind}.${from + changes.length}`;
    return {
      now: Date.now() + state.skewMs,
      desired: { state: "active", release: null, limits: { hardLimit: 1000 } },
      changes,
      cursor: `${state.timeline}.${next}`,
      hasMore,
      isSnapshot,
      ...(request.viewVersion !== version && {
        view: {
          version,
          popKeys: { [POP]: [pop.jwk] },
          issuers,
          standby: null,
          cellKeys,
          ...structuredClone(state.view),
          ...state.viewOf?.(cell),
        },
      }),
      ...state.extend?.(cell, request),
    };
  };

  const app = new Hono();
  app.post("/v1/cells", async (c) => {
    const registration = (await c.req.json()) as Record<string, unknown>;
    state.registrations.push(registration);
    cellKeys[String(registration["id"])] = [registration["publicKey"] as PublicJwk];
    const { id, region, zone, endpoints, capacity, release } = registration;
    const cell = { id, region, zone, endpoints, capacity, release, state: "active", health: "healthy", standby: null, vehicles: 0 };
    const rest = { weight: 1, tags: [], incarnation: 1, isProven: true, version: 1, createdAt: new Date().toISOString() };
    return c.json({ ...cell, ...rest }, 201);
  });
  app.post("/v1/cells/:id/sync", async (c) => {
    const request = (await c.req.json()) as SyncRequest;
    state.requests.push(request);
    if (state.answerWith !== null) return state.answerWith();
    const body = answer(c.req.param("id") as CellId, request);
    if (body !== null) return c.json(body);
    return c.json({ type: "about:blank", code: "resnapshot", title: "", status: 410, detail: "", requestId: "", retryable: true }, 410);
  });
  const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port });
  const bound = await new Promise<number>((resolve) =>
    server.once("listening", () => resolve((server.address() as { port: number }).port)),
  );
  return Object.assign(state, {
    url: `http://127.0.0.1:${bound}`,
    pop,
    device,
    owner,
    operator,
    assign: (...changes: readonly Change[]) => void feed.push(...changes),
    publishView: () => {
      version += 1;
    },
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        if ("closeAllConnections" in server) server.closeAllConnections();
      }),
  });
};
