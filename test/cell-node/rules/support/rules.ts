import { Rule } from "#schema/api/rules.ts";
import { type CompiledRule, compileRule, hasFaults } from "../../../../cell-node/rules/compile-rule.ts";
import type { RuleMessage } from "../../../../cell-node/rules/evaluate-rule.ts";
import type { AllRulePorts } from "../../../../cell-node/rules/ports.ts";

export const NOON = Date.UTC(2026, 10, 20, 12);
export const SECOND = 1_000;

export const ruleOf = (more: object): Rule =>
  Rule.parse({ id: "a-rule", on: ["telemetry"], actions: [{ kind: "event", type: "test.fired" }], quietSeconds: 0, ...more });

export const compiledOf = (more: object): CompiledRule => {
  const compiled = compileRule(ruleOf(more));
  if (hasFaults(compiled)) throw new Error(JSON.stringify(compiled.faults));
  return compiled;
};

let messages = 0;

/** A telemetry message of vehicle `vinKey`, `afterMs` after noon. */
export const messageOf = (data: unknown, afterMs = 0, more: Partial<RuleMessage> = {}): RuleMessage => {
  messages += 1;
  const id = `message-${messages}`;
  return {
    ...{ data, channel: "telemetry", vin: "WVWZZZ1JZXW000001", vinKey: "vin-key-1", idOf: () => id },
    ...{ receivedAt: NOON + afterMs, sizeBytes: JSON.stringify(data).length },
    ...more,
  };
};

/** Ports that keep what they were given. */
export const createRecorder = () => {
  const calls: { port: keyof AllRulePorts; args: unknown[] }[] = [];
  const record =
    (port: keyof AllRulePorts) =>
    async (...args: unknown[]): Promise<void> =>
      void calls.push({ port, args });
  const ports: AllRulePorts = {
    storeEvent: record("storeEvent"),
    patchTwin: record("patchTwin"),
    publish: record("publish"),
    postWebhook: record("postWebhook"),
    sendToCentre: record("sendToCentre"),
    order: record("order"),
  };
  return { calls, ports };
};
