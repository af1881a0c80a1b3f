import type { RouteAnswer } from "#schema/api/route.ts";
import type { Wait } from "./jitter.ts";
import type { Meaning } from "./meaning.ts";

/** Which secret goes into the CONNECT's password. */
export type CredentialKind = "ticket" | "device";

/** Everything the vehicle's next step depends on. */
export type ClientState = {
  /** The cached answer and when it came. */
  readonly route: RouteAnswer | null;
  readonly routeAtMs: number;
  /** The edge asked not to be called before. */
  readonly edgeNotBeforeMs: number;
  readonly target: string | null;
  readonly credential: CredentialKind;
  readonly isConnected: boolean;
  readonly connectedAtMs: number;
  /** References followed since the last resolve or settled connection. */
  readonly hops: number;
  /** Failures since the last settled connection. */
  readonly failures: number;
};

export type ClientEvent =
  | { readonly kind: "start" }
  | { readonly kind: "resolved"; readonly answer: RouteAnswer }
  | { readonly kind: "resolve_failed"; readonly retryAfterMs: number | null }
  | { readonly kind: "connected" }
  /** A refusing CONNACK, a DISCONNECT, or the `session` topic's `moved`. */
  | { readonly kind: "refused"; readonly meaning: Meaning; readonly reference: string | null; readonly retryAfterMs: number | null }
  | { readonly kind: "unreachable" }
  | { readonly kind: "lost" }
  /** A command came that no known key signed. */
  | { readonly kind: "unknown_key" };

export type Refused = Extract<ClientEvent, { kind: "refused" }>;

/** What to do next. `resolve` beside a live connection only refreshes the cached answer. */
export type Step =
  | { readonly kind: "none" }
  | { readonly kind: "resolve"; readonly minEpoch: number | null; readonly wait: Wait }
  | { readonly kind: "connect"; readonly url: string; readonly credential: CredentialKind; readonly wait: Wait };

export type Next = { readonly state: ClientState; readonly step: Step };

export const INITIAL_STATE: ClientState = {
  route: null,
  routeAtMs: 0,
  edgeNotBeforeMs: 0,
  target: null,
  credential: "ticket",
  isConnected: false,
  connectedAtMs: 0,
  hops: 0,
  failures: 0,
};
