import type { RouteAnswer } from "#schema/api/route.ts";
import { resultTopicOf, topicOf } from "#schema/domain/topic.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { type ClientEvent, type ClientState, INITIAL_STATE, type Step } from "./client-state.ts";
import { type CommandActions, createCommandHandler } from "./command-handler.ts";
import { type Link, type LinkEvent, openLink } from "./connect.ts";
import { delayOf } from "./jitter.ts";
import type { Protocol } from "./meaning.ts";
import { nextStep } from "./next-step.ts";
import { createOutbox, type Message } from "./outbox.ts";
import type { Resolution } from "./resolve.ts";
import { parseSessionNotice } from "./session.ts";

/** What a vehicle tells whoever watches it. Latencies in milliseconds. */
export type VehicleObserver = {
  readonly onResolved: (answer: RouteAnswer, latencyMs: number) => void;
  readonly onResolveFailed: (detail: string) => void;
  readonly onConnected: (url: string, latencyMs: number) => void;
  /** `code` is the CONNACK's or DISCONNECT's; null for the `session` topic's `moved`. */
  readonly onRefused: (code: number | null, url: string) => void;
  readonly onRedirect: (url: string) => void;
  readonly onAcknowledged: (message: Message, url: string, latencyMs: number) => void;
  readonly onRejected: (message: Message) => void;
};

export type VehicleOptions = Pick<CommandActions, "onCommand" | "execute"> & {
  readonly vin: Vin;
  readonly protocol: Protocol;
  /** Asks the edge with the device credential. */
  readonly resolve: (minEpoch: number | null) => Promise<Resolution>;
  readonly deviceToken: () => Promise<string>;
  readonly observer: VehicleObserver;
  readonly random: () => number;
  readonly now: () => number;
};

export type Vehicle = {
  readonly vin: Vin;
  readonly protocol: Protocol;
  start(): void;
  stop(): void;
  /** Sends telemetry until it is acknowledged; false when the outbox is full. */
  publish(id: string, payload: Readonly<Record<string, unknown>>): boolean;
  readonly isConnected: boolean;
  readonly route: RouteAnswer | null;
  /** Messages that are not acknowledged yet. */
  readonly waiting: number;
};

type Resolve = Extract<Step, { kind: "resolve" }>;
type Connect = Extract<Step, { kind: "connect" }>;

/** The reference vehicle client: nextStep decides, this performs. */
export const createVehicle = (options: VehicleOptions): Vehicle => {
  const { vin, protocol, observer, now } = options;
  let state: ClientState = INITIAL_STATE;
  let link: Link | null = null;
  /** The one step that is waiting or under way. */
  let pending: NodeJS.Timeout | null = null;
  /** Raised by each new step: whatever an older one still brings is ignored. */
  let turn = 0;
  let reports = 0;

  const outbox = createOutbox({
    onAcknowledged: (message, latencyMs) => observer.onAcknowledged(message, state.target ?? "", latencyMs),
    onRejected: observer.onRejected,
  });

  const commands = createCommandHandler(vin, {
    ...options,
    report: (id, result) => {
      outbox.add({ id: `result-${reports++}`, topic: resultTopicOf(vin, id), payload: JSON.stringify(result) });
    },
    onUnknownKey: () => {
      if (pending === null) apply({ kind: "unknown_key" });
    },
  });

  const dropLink = () => {
    outbox.detach();
    link?.close();
    link = null;
  };

  const cancelStep = () => {
    turn++;
    if (pending !== null) clearTimeout(pending);
    pending = null;
  };

  const apply = (event: ClientEvent) => {
    const { step, ...next } = nextStep(state, event, now());
    state = next.state;
    if (!state.isConnected) dropLink();
    if (step.kind === "none") return;
    if (step.kind === "connect" && event.kind === "refused" && event.meaning === "elsewhere") observer.onRedirect(step.url);
    cancelStep();
    const mine = turn;
    const perform = () => (step.kind === "resolve" ? resolve(step, mine) : connect(step, mine));
    pending = setTimeout(() => void perform(), delayOf(step.wait, options.random));
  };

  const resolve = async ({ minEpoch }: Resolve, mine: number) => {
    const startedAt = performance.now();
    const resolution = await options.resolve(minEpoch);
    if (mine !== turn) return;
    pending = null;
    if (resolution.kind === "resolved") {
      observer.onResolved(resolution.answer, performance.now() - startedAt);
      commands.trust(resolution.answer.commandKeys.keys);
    } else observer.onResolveFailed(resolution.detail);
    apply(resolution);
  };

  const connect = async ({ url, credential }: Connect, mine: number) => {
    const password = credential === "ticket" && state.route !== null ? state.route.ticket : await options.deviceToken();
    if (mine !== turn) return;
    pending = null;
    const startedAt = performance.now();
    const opened = openLink({
      ...{ url, vin, protocol, password },
      onEvent: (event) => {
        if (link !== opened) return;
        if (event.kind === "connected") observer.onConnected(url, performance.now() - startedAt);
        if (event.kind === "refused") observer.onRefused(event.code, url);
        onLinkEvent(event, opened);
      },
    });
    link = opened;
  };

  const onLinkEvent = (event: LinkEvent, from: Link) => {
    if (event.kind === "message") return onMessage(event.topic, event.payload);
    apply(event);
    if (event.kind === "connected") outbox.attach(from);
  };

  const onMessage = (topic: string, payload: string) => {
    if (topic === topicOf(vin, "commands")) return commands.receive(payload);
    const notice = parseSessionNotice(payload);
    if (notice?.state !== "moved") return;
    observer.onRefused(null, state.target ?? "");
    apply({ kind: "refused", meaning: "elsewhere", reference: notice.reference, retryAfterMs: null });
  };

  return {
    vin,
    protocol,
    start: () => apply({ kind: "start" }),
    stop() {
      cancelStep();
      dropLink();
    },
    publish: (id, payload) => outbox.add({ id, topic: topicOf(vin, "telemetry"), payload: JSON.stringify({ id, ...payload }) }),
    get isConnected() {
      return state.isConnected;
    },
    get route() {
      return state.route;
    },
    get waiting() {
      return outbox.size;
    },
  };
};
