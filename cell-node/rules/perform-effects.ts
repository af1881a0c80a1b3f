import { hash } from "node:crypto";
import type { RuleAction } from "#schema/api/rules.ts";
import type { Effect } from "./evaluate-rule.ts";
import type { AllRulePorts, RuleEvent, RulePorts, RuleSubject } from "./ports.ts";

/** One effect and where it comes from. `cause` is the message's id, or what stands for it. */
export type Task = {
  readonly ruleId: string;
  readonly subject: RuleSubject;
  readonly cause: string;
  readonly at: number;
  readonly effect: Effect;
};

export type EffectCounts = { done: number; failed: number; dropped: number };

const idOf = ({ ruleId, subject, cause }: Task, index: number): string =>
  hash("sha256", [ruleId, subject.vin, cause, index].join("\n"), "base64url");

const eventOf = (task: Task, type: string, index: number): RuleEvent => ({
  specversion: "1.0",
  id: idOf(task, index),
  source: `rules/${task.ruleId}`,
  type,
  time: new Date(task.at).toISOString(),
  subject: task.subject.vinKey,
  datacontenttype: "application/json",
  data: task.effect.values,
});

type Ways = {
  readonly [Kind in RuleAction["kind"]]: {
    readonly port: keyof AllRulePorts;
    perform(ports: AllRulePorts, task: Task, action: Extract<RuleAction, { kind: Kind }>, index: number): Promise<void>;
  };
};

const FORWARDED = "rule.forwarded";

/** How each kind of action is performed, and what it needs for it. */
const WAYS: Ways = {
  event: {
    port: "storeEvent",
    perform: (ports, task, { type }, index) => ports.storeEvent(task.subject, eventOf(task, type, index)),
  },
  twin: { port: "patchTwin", perform: (ports, { subject, effect }) => ports.patchTwin(subject, effect.values) },
  mqtt: {
    port: "publish",
    perform: (ports, task, { topic }, index) => ports.publish(`rules/${topic}`, eventOf(task, FORWARDED, index)),
  },
  webhook: { port: "postWebhook", perform: (ports, task, { url }, index) => ports.postWebhook(url, eventOf(task, FORWARDED, index)) },
  centre: {
    port: "sendToCentre",
    perform: (ports, task, { type }, index) => ports.sendToCentre(task.subject, eventOf(task, type, index)),
  },
  command: {
    port: "order",
    perform: (ports, task, { type, expiresInSeconds }, index) =>
      ports.order(task.subject, { type, arguments: task.effect.values, expiresInSeconds, idempotencyKey: idOf(task, index) }),
  },
};

/** What performs a kind of action; undefined when the cell has no way to. */
export const portOf = (ports: RulePorts, kind: RuleAction["kind"]): unknown => ports[WAYS[kind].port];

const perform = async (ports: RulePorts, task: Task, index: number): Promise<void> => {
  const { action } = task.effect;
  if (portOf(ports, action.kind) === undefined) throw new Error(`this cell cannot perform ${action.kind}`);
  const way = WAYS[action.kind] as Ways["event"];
  await way.perform(ports as AllRulePorts, task, action as Extract<RuleAction, { kind: "event" }>, index);
};

export type EffectQueue = {
  /** Never waits and never throws. */
  add(task: Task, index: number, counts: EffectCounts): void;
  /** Resolves when nothing is waiting or under way. */
  idle(): Promise<void>;
};

export type EffectQueueOptions = {
  readonly concurrency: number;
  /** Effects that may wait. A further one is dropped and counted: the flow of messages goes first. */
  readonly capacity: number;
  readonly onFailure: (task: Task, error: unknown) => void;
};

/** Performs effects beside the flow of messages. */
export const createEffectQueue = (ports: RulePorts, { concurrency, capacity, onFailure }: EffectQueueOptions): EffectQueue => {
  const waiting: (() => Promise<void>)[] = [];
  const idlers: (() => void)[] = [];
  let running = 0;

  const next = async (): Promise<void> => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) await job();
    running -= 1;
    if (running === 0) for (const idle of idlers.splice(0)) idle();
  };

  return {
    add(task, index, counts) {
      if (waiting.length >= capacity) {
        counts.dropped += 1;
        return;
      }
      waiting.push(async () => {
        try {
          await perform(ports, task, index);
          counts.done += 1;
        } catch (error) {
          counts.failed += 1;
          onFailure(task, error);
        }
      });
      if (running >= concurrency) return;
      running += 1;
      queueMicrotask(next);
    },
    idle: () => (running === 0 ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve))),
  };
};
