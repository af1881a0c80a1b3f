import type { Hono } from "hono";
import { Gauge, Registry } from "prom-client";
import { AppError } from "#schema/api/error.ts";
import type { Deps } from "../deps.ts";
import type { LedgerStatus } from "../ledger/port.ts";

const GAUGES: readonly { name: string; help: string; read: (status: LedgerStatus) => number }[] = [
  { name: "cloverleaf_control_is_writer", help: "1 when this control-worker holds the writer's lease", read: (s) => Number(s.isWriter) },
  { name: "cloverleaf_control_lease_term", help: "Term of the lease held; 0 without one", read: (s) => s.term ?? 0 },
  { name: "cloverleaf_control_queued_writes", help: "Writes that wait for the next batch", read: (s) => s.queued },
  { name: "cloverleaf_control_cells_in_contact", help: "Cells heard of by this writer", read: (s) => s.contacts },
  { name: "cloverleaf_control_publish_pending_singles", help: "Single changes not yet in KV", read: (s) => s.pendingSingles },
  { name: "cloverleaf_control_publish_pending_bulk", help: "Bulk changes not yet in KV", read: (s) => s.pendingBulk },
  {
    name: "cloverleaf_control_publish_lag_seconds",
    help: "Age of the oldest single change not yet in KV",
    read: (s) => s.publishLagMs / 1000,
  },
];

const render = (status: LedgerStatus): Promise<string> => {
  const registry = new Registry();
  for (const { name, help, read } of GAUGES) new Gauge({ name, help, registers: [registry] }).set(read(status));
  return registry.metrics();
};

const readStatus = async (deps: Deps): Promise<LedgerStatus> => {
  try {
    return await deps.ledger.status();
  } catch (cause) {
    throw new AppError("database_unavailable", "the ledger or its database cannot be reached", { cause });
  }
};

/** `/readyz` also wakes a ledger that nobody has called yet. */
export const mountHealth = (app: Hono, depsOf: () => Deps): void => {
  app.get("/healthz", (c) => c.json({ status: "ok" }));
  app.get("/readyz", async (c) => {
    const { isWriter, term } = await readStatus(depsOf());
    return c.json({ status: "ready", isWriter, term });
  });
  app.get("/metrics", async (c) => c.text(await render(await readStatus(depsOf())), 200, { "Content-Type": "text/plain; version=0.0.4" }));
};
