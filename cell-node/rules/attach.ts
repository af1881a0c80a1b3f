import { hash, randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Registry } from "prom-client";
import { isVin, parseVin } from "#schema/domain/vin.ts";
import type { Logger } from "#schema/http/log.ts";
import type { AdmissionContext } from "../admission/admit-vehicle.ts";
import { isServedHere, type Vehicle } from "../admission/vehicle.ts";
import type { Store } from "../store/store.ts";
import type { CommandDesk } from "../vehicle/command-desk.ts";
import type { RuleMessage } from "./evaluate-rule.ts";
import type { RulePorts, RuleSubject } from "./ports.ts";
import { createRuleEngine, type RuleEngine } from "./rule-engine.ts";
import { registerRuleMetrics } from "./rule-metrics.ts";
import { createRulesDesk, type HistoryQuery, type RulesDesk } from "./rules-desk.ts";
import { createRulesFile } from "./rules-file.ts";
import type { RuleSettings } from "./settings.ts";
import { createWebhookPoster, resolveHost } from "./webhook/post-webhook.ts";

export type RuleParts = {
  readonly admission: AdmissionContext;
  readonly store: Store;
  readonly commands: CommandDesk;
  readonly logger: Logger;
  readonly registry: Registry;
  /** Ways to perform actions that the cell has beside those wired here. */
  readonly ports?: RulePorts;
};

export type RuleOptions = { readonly dataFolder: string; readonly maxVehicles: number; readonly settings: RuleSettings };

export type CellRules = { readonly engine: RuleEngine; readonly desk: RulesDesk };

const WEBHOOK = { timeoutMs: 5_000, tries: 3, backOffMs: 500 };
const FROM_START = { receivedAt: -1, sequence: -1 };

const servedVehicle = ({ table }: AdmissionContext, text: string): Vehicle | null => {
  const vin = parseVin(text);
  const vehicle = isVin(vin) ? table.get(vin) : undefined;
  return vehicle !== undefined && isServedHere(vehicle) ? vehicle : null;
};

/** The vehicle of an effect; rejects when it has left the cell meanwhile. */
const vehicleOf = (admission: AdmissionContext, { vin }: RuleSubject): Vehicle => {
  const vehicle = servedVehicle(admission, vin);
  if (vehicle === null) throw new Error("the vehicle is not served here any more");
  return vehicle;
};

const portsOf = ({ admission, store, commands, ports }: RuleParts, { settings }: RuleOptions): RulePorts => ({
  ...ports,
  async storeEvent(subject, event) {
    const row = { id: `${event.source}\n${event.id}`, receivedAt: admission.clock.nowMs(), payload: JSON.stringify(event) };
    await store.save({ uplinks: [["events", { vehicle: vehicleOf(admission, subject).number, ...row }]] });
  },
  async order(subject, { type, arguments: args, expiresInSeconds, idempotencyKey }) {
    const vehicle = vehicleOf(admission, subject);
    if ((await store.commandByIdempotencyKey(idempotencyKey)) !== null) return;
    const bodyHash = hash("sha256", JSON.stringify([type, args]), "base64url");
    const requestedBy = "rules";
    await commands.create(vehicle, {
      id: randomUUID(),
      type,
      arguments: args,
      expiresInSeconds,
      priority: 0,
      requestedBy,
      idempotencyKey,
      bodyHash,
    });
  },
  ...(settings.webhookHosts.length > 0 && {
    postWebhook: createWebhookPoster(
      { ...WEBHOOK, allowed: settings.webhookHosts, arePrivateAllowed: settings.arePrivateHostsAllowed },
      { resolve: resolveHost, random: Math.random, wait: (ms) => setTimeout(ms) },
    ),
  }),
});

const createHistory =
  ({ admission, store }: RuleParts) =>
  async (vin: string, { from, to, limit }: HistoryQuery): Promise<readonly RuleMessage[] | null> => {
    const vehicle = servedVehicle(admission, vin);
    if (vehicle === null) return null;
    const rows = await store.telemetry({ vehicle: vehicle.number, from, to, after: FROM_START, limit });
    return rows.map(({ id, receivedAt, payload }) => ({
      ...{ data: JSON.parse(payload) as unknown, channel: "telemetry", vin, vinKey: vehicle.vinKey, receivedAt },
      ...{ idOf: () => id, sizeBytes: payload.length },
    }));
  };

/** Puts the rules that the cell keeps on its disk to work on its own parts. */
export const startRules = async (parts: RuleParts, options: RuleOptions): Promise<CellRules> => {
  const { logger, registry } = parts;
  const engine = createRuleEngine({ ports: portsOf(parts, options), logger, maxVehicles: options.maxVehicles });
  const store = createRulesFile(join(options.dataFolder, "rules.json"));
  const desk = await createRulesDesk({ store, engine, logger, historyOf: createHistory(parts) });
  registerRuleMetrics(registry, engine);
  return { engine, desk };
};
