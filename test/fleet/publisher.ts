import type { SimulatedVehicle } from "./simulated.ts";
import type { Tally } from "./tally.ts";

const TICK_MS = 20;

/** Numbered QoS 1 telemetry: each vehicle at its own phase, `rate` messages a second. Answers how to stop. */
export const startPublishing = (
  fleet: readonly SimulatedVehicle[],
  run: { readonly prefix: string; readonly rate: number; readonly tally: Tally },
) => {
  const everyMs = 1000 / run.rate;
  const startedAt = performance.now();
  const sources = fleet.map(({ vehicle }, index) => ({ vehicle, index, dueAt: startedAt + Math.random() * everyMs, seq: 0 }));

  const publishOne = (source: (typeof sources)[number], now: number) => {
    const seq = ++source.seq;
    const id = `${run.prefix}-${source.index}-${seq}`;
    const payload = { seq, at: new Date().toISOString(), speedKmh: Math.round(60 + 50 * Math.sin(now / 10_000 + source.index)), soc: 80 };
    if (source.vehicle.publish(id, payload)) run.tally.sent++;
    else run.tally.held++;
  };

  const timer = setInterval(() => {
    const now = performance.now();
    for (const source of sources) {
      for (; source.dueAt <= now; source.dueAt += everyMs) publishOne(source, now);
    }
  }, TICK_MS);
  return () => clearInterval(timer);
};
