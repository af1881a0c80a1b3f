import { ROUTE_REASONS } from "#schema/domain/route.ts";
import type { Breaker, BreakerState } from "./breaker.ts";
import type { Clock } from "./clock.ts";
import type { ControlClient } from "./control-client.ts";
import { createMetrics, type Series } from "./metrics.ts";
import { ORIGINS } from "./store/port.ts";
import type { TopologyHolder } from "./topology-holder.ts";

const BREAKER_VALUES: Readonly<Record<BreakerState, number>> = { closed: 0, half_open: 1, open: 2 };

const seriesOf = <Label extends string>(labels: readonly Label[], of: (label: Label) => Series): Readonly<Record<Label, Series>> =>
  Object.fromEntries(labels.map((label) => [label, of(label)])) as Record<Label, Series>;

/** Everything that this router counts. What the hot path counts is at hand as series. */
export const createInstruments = () => {
  const metrics = createMetrics();
  const counter = (name: string, help: string, labels: readonly string[]) =>
    metrics.counter(`cloverleaf_router_${name}_total`, help, labels);
  const requests = counter("requests", "Requests by outcome and its reason or error code.", ["outcome", "reason"]);
  const lookups = counter("lookups", "Record look-ups by the cache level that answered.", ["level"]);
  const credentials = counter("credentials", "Credentials by verdict; cached means no crypto was done.", ["verdict"]);
  return {
    metrics,
    requests,
    credentials,
    served: seriesOf(ROUTE_REASONS, (reason) => requests.of("served", reason)),
    lookups: seriesOf(ORIGINS, (origin) => lookups.of(origin)),
    cachedCredentials: credentials.of("cached"),
    decisions: metrics.histogram("cloverleaf_router_decision_seconds", "From the request to the decided and signed answer."),
    kvReads: counter("kv_reads", "KV reads by outcome.", ["outcome"]),
    kvSeconds: metrics.histogram("cloverleaf_router_kv_read_seconds", "Duration of KV reads."),
    corrupt: counter("corrupt_records", "KV values that are no record of a known version: taken as a miss.", []),
    topologyRefusals: counter("topology_refusals", "Published topologies that were not taken.", ["reason"]),
    controlCalls: counter("control_calls", "Calls to control by target and outcome.", ["target", "outcome"]),
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
