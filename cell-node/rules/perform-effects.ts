import { hash } from "node:crypto";
import type { RuleAction } from "#schema/api/rules.ts";
import type { Effect } from "./evaluate-rule.ts";
import type { RuleEvent, RulePorts, RuleSubject } from "./ports.ts";

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

const FORWARDED = "rule.forwarded";

/** What each kind of action needs of the cell. */
const PORT_OF = {
  event: "storeEvent",
  twin: "patchTwin",
  mqtt: "publish",
  webhook: "postWebhook",
  centre: "sendToCentre",
  command: "order",
} as const satisfies Record<RuleAction["kind"], keyof RulePorts>;

export const canPerform = (ports: RulePorts, kind: RuleAction["kind"]): boolean => ports[PORT_OF[kind]] !== undefined;

/** Undefined when the cell has no way to. */
const begin = (ports: RulePorts, task: Task, index: number): Promise<void> | undefined => {
  const { subject, effect } = task;
  const { action, values } = effect;
  switch (action.kind) {
    case "event":
      return ports.storeEvent?.(subject, eventOf(task, action.type, index));
    case "twin":
      return ports.patchTwin?.(subject, values);
    case "mqtt":
      return ports.publish?.(`rules/${action.topic}`, eventOf(task, FORWARDED, index));
    case "webhook":
      return ports.postWebhook?.(action.url, eventOf(task, FORWARDED, index));
    case "centre":
      return ports.sendToCentre?.(subject, eventOf(task, action.type, index));
    case "command": {
      const { type, expiresInSeconds } = action;
      return ports.order?.(subject, { type, arguments: values, expiresInSeconds, idempotencyKey: idOf(task, index) });
    }
  }
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
          const begun = begin(ports, task, index);
          if (begun === undefined) throw new Error(`this cell cannot perform ${task.effect.action.kind}`);
          await begun;
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
