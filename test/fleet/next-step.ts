import type { RouteAnswer } from "#schema/api/route.ts";
import type { ClientEvent, ClientState, CredentialKind, Next, Refused, Step } from "./client-state.ts";
import { backoff, MOST_FAILURES, NO_WAIT, type Wait } from "./jitter.ts";
import type { Meaning } from "./meaning.ts";
import { chooseReference, isSameEndpoint } from "./reference.ts";

export const MAX_HOPS = 3;
/** A connection that lasted this long clears what failed before it. */
export const SETTLED_MS = 10_000;
/** Refusals in a row at one cell after which the edge is asked again. */
const ASK_EDGE_EVERY = 4;
/** An edge holds its topology this long: asking for keys again sooner answers the same. */
const EDGE_TOPOLOGY_MS = 5000;

const NOTHING: Step = { kind: "none" };

const resolve = (state: ClientState, minEpoch: number | null, wait: Wait, nowMs: number): Next => {
  const atLeastMs = Math.max(wait.atLeastMs, state.edgeNotBeforeMs - nowMs);
  return { state, step: { kind: "resolve", minEpoch, wait: { ...wait, atLeastMs } } };
};

const resolveNewer = (state: ClientState, wait: Wait, nowMs: number): Next =>
  resolve(state, state.route === null ? null : state.route.epoch + 1, wait, nowMs);

const connect = (state: ClientState, url: string, credential: CredentialKind, wait: Wait): Next => ({
  state: { ...state, target: url, credential },
  step: { kind: "connect", url, credential, wait },
});

const credentialFor = ({ route }: ClientState, nowMs: number): CredentialKind =>
  route !== null && Date.parse(route.expiresAt) > nowMs ? "ticket" : "device";

const isRouteFresh = ({ route, routeAtMs }: ClientState, nowMs: number): boolean =>
  route !== null && nowMs < routeAtMs + route.ttlSeconds * 1000;

/** The state after a connection ended or an attempt failed. */
const afterFailure = (state: ClientState, nowMs: number): ClientState => {
  const isSettled = state.isConnected && nowMs - state.connectedAtMs >= SETTLED_MS;
  return { ...state, isConnected: false, hops: isSettled ? 0 : state.hops, failures: isSettled ? 1 : state.failures + 1 };
};

const isAtCell = ({ route, target }: ClientState): boolean => isSameEndpoint(target, route?.endpoints.mqtt);
/** Whether the cached answer names the target, and so holds the keys of its commands. */
const isCovered = (state: ClientState): boolean => isAtCell(state) || isSameEndpoint(state.target, state.route?.standby?.endpoints.mqtt);

const onStart = (state: ClientState, nowMs: number): Next =>
  state.route === null || !isRouteFresh(state, nowMs)
    ? resolve(state, null, NO_WAIT, nowMs)
    : connect(state, state.route.endpoints.mqtt, credentialFor(state, nowMs), NO_WAIT);

const onResolved = (before: ClientState, answer: RouteAnswer, nowMs: number): Next => {
  const state = { ...before, route: answer, routeAtMs: nowMs };
  if (!state.isConnected) return connect({ ...state, hops: 0 }, answer.endpoints.mqtt, "ticket", NO_WAIT);
  if (isCovered(state)) return { state: { ...state, failures: 0 }, step: NOTHING };
  return resolveNewer({ ...state, failures: state.failures + 1 }, backoff(state.failures + 1), nowMs);
};

const onResolveFailed = (before: ClientState, retryAfterMs: number | null, nowMs: number): Next => {
  const state = { ...before, failures: before.failures + 1, edgeNotBeforeMs: nowMs + (retryAfterMs ?? 0) };
  const wait = backoff(state.failures, retryAfterMs);
  if (state.isConnected) return isCovered(state) ? resolve(state, null, wait, nowMs) : resolveNewer(state, wait, nowMs);
  if (state.route === null) return resolve(state, null, wait, nowMs);
  return connect({ ...state, hops: 0 }, state.route.endpoints.mqtt, credentialFor(state, nowMs), backoff(state.failures));
};

const onConnected = (before: ClientState, nowMs: number): Next => {
  const state = { ...before, isConnected: true, connectedAtMs: nowMs };
  return isCovered(state) ? { state, step: NOTHING } : resolveNewer(state, backoff(0), nowMs);
};

const follow = (state: ClientState, { reference, retryAfterMs }: Refused, nowMs: number): Next => {
  const url = chooseReference(reference, state.target ?? "", state.route?.allowedHosts ?? []);
  if (url === null || state.hops >= MAX_HOPS) return resolveNewer(state, backoff(state.failures, retryAfterMs), nowMs);
  const wait = retryAfterMs === null ? NO_WAIT : backoff(0, retryAfterMs);
  return connect({ ...state, hops: state.hops + 1 }, url, credentialFor(state, nowMs), wait);
};

const tryDeviceCredential = (state: ClientState, { retryAfterMs }: Refused, nowMs: number): Next => {
  const wait = backoff(state.failures, retryAfterMs);
  if (state.credential === "device" || state.target === null) return resolve(state, null, wait, nowMs);
  return connect(state, state.target, "device", retryAfterMs === null ? NO_WAIT : wait);
};

const comeBack = (state: ClientState, { retryAfterMs }: Refused, nowMs: number): Next => {
  const wait = backoff(state.failures, retryAfterMs);
  if (state.target === null || state.failures % ASK_EDGE_EVERY === 0) return resolve(state, null, wait, nowMs);
  return connect(state, state.target, state.credential === "device" ? "device" : credentialFor(state, nowMs), wait);
};

const REACTIONS: Readonly<Record<Meaning, (state: ClientState, event: Refused, nowMs: number) => Next>> = {
  elsewhere: follow,
  resolve: (state, { retryAfterMs }, nowMs) => resolveNewer(state, backoff(state.failures, retryAfterMs), nowMs),
  credential: tryDeviceCredential,
  identity: (state, { retryAfterMs }, nowMs) => resolve(state, null, backoff(MOST_FAILURES, retryAfterMs), nowMs),
  busy: comeBack,
};

const onUnreachable = (state: ClientState, nowMs: number): Next => {
  const standby = state.route?.standby ?? null;
  if (standby === null || !isAtCell(state)) return resolve(state, null, backoff(state.failures), nowMs);
  return connect(state, standby.endpoints.mqtt, credentialFor(state, nowMs), backoff(0));
};

const onLost = (state: ClientState, nowMs: number): Next => {
  const wait = backoff(state.failures);
  if (state.target === null || !isRouteFresh(state, nowMs)) return resolve(state, null, wait, nowMs);
  return connect(state, state.target, credentialFor(state, nowMs), wait);
};

const onUnknownKey = (state: ClientState, nowMs: number): Next => {
  const wait = { ...backoff(state.failures), atLeastMs: Math.max(0, state.routeAtMs + EDGE_TOPOLOGY_MS - nowMs) };
  return isCovered(state) ? resolve(state, null, wait, nowMs) : resolveNewer(state, wait, nowMs);
};

/**
 * The vehicle's side of the contract, decided: what to do after an event. The cached cell first, then its standby, then the edge,
 * and the cached answer again when the edge is away; at most 3 references between two answers; every wait jittered.
 */
export const nextStep = (state: ClientState, event: ClientEvent, nowMs: number): Next => {
  switch (event.kind) {
    case "start":
      return onStart(state, nowMs);
    case "resolved":
      return onResolved(state, event.answer, nowMs);
    case "resolve_failed":
      return onResolveFailed(state, event.retryAfterMs, nowMs);
    case "connected":
      return onConnected(state, nowMs);
    case "refused":
      return REACTIONS[event.meaning](afterFailure(state, nowMs), event, nowMs);
    case "unreachable":
      return onUnreachable(afterFailure(state, nowMs), nowMs);
    case "lost":
      return onLost(afterFailure(state, nowMs), nowMs);
    case "unknown_key":
      return onUnknownKey(state, nowMs);
  }
};
