import { Counter, type Registry } from "prom-client";
import type { RuleEngine } from "./rule-engine.ts";

type Family = { readonly name: string; readonly help: string; readonly label: string; readonly pick: "counts" | "effects" };

const FAMILIES: readonly Family[] = [
  {
    name: "cloverleaf_cell_rule_messages_total",
    help: "Messages that a rule saw, by what became of them",
    label: "outcome",
    pick: "counts",
  },
  { name: "cloverleaf_cell_rule_effects_total", help: "Effects of a rule, by what became of them", label: "outcome", pick: "effects" },
];

/** Puts the engine's own counts into the registry when it is read: counting a message must not cost more than its rule. */
export const registerRuleMetrics = (registry: Registry, engine: RuleEngine): void => {
  for (const { name, help, label, pick } of FAMILIES) {
    new Counter({
      ...{ name, help, labelNames: ["rule", label], registers: [registry] },
      collect() {
        this.reset();
        for (const report of engine.reports()) {
          for (const [outcome, count] of Object.entries(report[pick]))
            if (count > 0) this.inc({ rule: report.id, [label]: outcome }, count);
        }
      },
    });
  }
};
