import type { Breaker, BreakerState } from "./breaker.ts";
import type { Clock } from "./clock.ts";
import type { ControlClient } from "./control-client.ts";
import { createMetrics } from "./metrics.ts";
import type { TopologyHolder } from "./topology-holder.ts";

const BREAKER_VALUES: Readonly<Record<BreakerState, number>> = { closed: 0, half_open: 1, open: 2 };

/** Everything that this router counts. */
export const createInstruments = () => {
  const metrics = createMetrics();
  return {
    metrics,
    requests: metrics.counter("cloverleaf_router_requests_total", "Requests by outcome and its reason or error code.", [
      "outcome",
      "reason",
    ]),
    decisions: metrics.histogram("cloverleaf_router_decision_seconds", "From the request to the decided and signed answer."),
    lookups: metrics.counter("cloverleaf_router_lookups_total", "Record look-ups by the cache level that answered.", ["level"]),
    credentials: metrics.counter("cloverleaf_router_credentials_total", "Credentials by verdict; cached means no crypto was done.", [
      "verdict",
    ]),
    kvReads: metrics.counter("cloverleaf_router_kv_reads_total", "KV reads by outcome.", ["outcome"]),
    kvSeconds: metrics.histogram("cloverleaf_router_kv_read_seconds", "Duration of KV reads."),
    corrupt: metrics.counter(
      "cloverleaf_router_corrupt_records_total",
      "KV values that are no record of a known version: taken as a miss.",
      [],
    ),
    topologyRefusals: metrics.counter("cloverleaf_router_topology_refusals_total", "Published topologies that were not taken.", ["reason"]),
    controlCalls: metrics.counter("cloverleaf_router_control_calls_total", "Calls to control by target and outcome.", [
      "target",
      "outcome",
    ]),
  };
};
export type Instruments = ReturnType<typeof createInstruments>;

/** Gauges over the parts that exist only once everything is wired. */
export const observeParts = (
  { metrics }: Instruments,
  parts: { readonly control: ControlClient; readonly topology: TopologyHolder; readonly clock: Clock; readonly kvBreaker: Breaker | null },
): void => {
  const { control, topology, clock, kvBreaker } = parts;
  metrics.gauge("cloverleaf_router_breaker_state", "0 closed, 1 half-open, 2 open.", () => [
    ...control.states().map(({ target, state }) => ({ labels: [["target", target]] as const, value: BREAKER_VALUES[state] })),
    ...(kvBreaker === null ? [] : [{ labels: [["target", "kv"]] as const, value: BREAKER_VALUES[kvBreaker.state()] }]),
  ]);
  metrics.gauge("cloverleaf_router_topology_version", "Version of the topology held; 0 for none.", () => [
    { labels: [], value: topology.held()?.topology.version ?? 0 },
  ]);
  metrics.gauge("cloverleaf_router_topology_age_seconds", "Since the topology held was last confirmed.", () => {
    const held = topology.held();
    return held === null ? [] : [{ labels: [], value: (clock.now() - held.readAtMs) / 1000 }];
  });
};
