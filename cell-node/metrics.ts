import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** The cell's measures in Prometheus' format. No label ever carries a VIN. */
export const createMetrics = () => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const messages = new Counter({
    name: "cloverleaf_cell_messages_total",
    help: "Publications of vehicles by channel and outcome",
    labelNames: ["channel", "outcome"],
    registers,
  });
  /** Looking a child up by its labels costs more than storing a message: it is done once. */
  const children = new Map<string, ReturnType<typeof messages.labels>>();
  return {
    registry,
    connects: new Counter({
      name: "cloverleaf_cell_connects_total",
      help: "CONNECTs by outcome: admitted, a refusal of the admission table, or what ended them before it",
      labelNames: ["outcome"],
      registers,
    }),
    countMessage(channel: string, outcome: "stored" | "invalid" | "forbidden") {
      const name = `${channel} ${outcome}`;
      const child = children.get(name) ?? messages.labels(channel, outcome);
      children.set(name, child);
      child.inc();
    },
    commands: new Counter({
      name: "cloverleaf_cell_commands_total",
      help: "Commands by the state that they reached",
      labelNames: ["state"],
      registers,
    }),
    commitSeconds: new Histogram({
      name: "cloverleaf_cell_commit_seconds",
      help: "Time from handing a batch to the storage thread until it was on disk",
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
    committedRows: new Counter({ name: "cloverleaf_cell_committed_rows_total", help: "Rows written to the store", registers }),
    syncs: new Counter({ name: "cloverleaf_cell_syncs_total", help: "Syncs with control by outcome", labelNames: ["outcome"], registers }),
    sessions: new Gauge({ name: "cloverleaf_cell_sessions", help: "Connected vehicles", registers }),
    vehicles: new Gauge({ name: "cloverleaf_cell_vehicles", help: "Vehicle records", registers }),
    viewVersion: new Gauge({ name: "cloverleaf_cell_view_version", help: "Topology version of the view from the last sync", registers }),
    tableComplete: new Gauge({ name: "cloverleaf_cell_table_complete", help: "1 when the vehicle table may be trusted", registers }),
  };
};
export type Metrics = ReturnType<typeof createMetrics>;
