import type { LRUCache } from "lru-cache";
import type { Vin } from "#schema/domain/vin.ts";
import type { Outcome } from "./answer.ts";
import type { Decision } from "./decide.ts";
import { type AlarmState, alarmEvent, alarmStateOf, NO_ALARM, toEvent } from "./events.ts";
import type { Frame } from "./frame.ts";
import type { Gbt32960Ports, ServedVehicle } from "./ports.ts";
import { type Report, reportIdOf, toTelemetry } from "./telemetry.ts";

/** The alarms that each vehicle reported last. When the oldest are forgotten, an alarm that stands is told once more. */
export type AlarmMemory = LRUCache<string, AlarmState>;

/** Reissued reports are of another time than live ones: each has its own past. */
const alarmKey = (vin: Vin, isReissued: boolean): string => (isReissued ? `${vin} reissued` : vin);

export type Storable = Extract<Decision, { kind: "report" | "presence" }>;

/** Everything is on disk, or nothing is acknowledged; what was remembered of the alarms goes with it. */
const storeReport = (ports: Gbt32960Ports, alarms: AlarmMemory, vehicle: ServedVehicle, report: Report): Promise<unknown> => {
  const receivedAt = ports.clock.nowMs();
  const key = alarmKey(vehicle.vin, report.isReissued);
  const now = alarmStateOf(report);
  const event = now === null ? null : alarmEvent(report, alarms.get(key) ?? NO_ALARM, now);
  if (now !== null) alarms.set(key, now);
  return Promise.all([
    ports.storeTelemetry(vehicle, { id: report.id, receivedAt, payload: toTelemetry(report) }),
    event === null ? undefined : ports.storeEvents(vehicle, [event], receivedAt),
  ]).catch((error: unknown) => {
    alarms.delete(key);
    throw error;
  });
};

/** Begins to store; the promise inside settles when it is on disk. Called in the order of the frames, so that alarms compare in that order. */
export const beginStoring = (
  ports: Gbt32960Ports,
  alarms: AlarmMemory,
  vehicle: ServedVehicle,
  frame: Frame,
  decision: Storable,
): Promise<Outcome> => {
  const id = reportIdOf(vehicle.vin, frame.edition, frame.data);
  const stored =
    decision.kind === "presence"
      ? ports.storeEvents(vehicle, [toEvent(`${id}-presence`, decision.type, decision.time, decision.data)], ports.clock.nowMs())
      : storeReport(ports, alarms, vehicle, { ...decision.information, isReissued: decision.isReissued, edition: frame.edition, id });
  return stored.then(
    (): Outcome => "success",
    (error: unknown): Outcome => {
      ports.logger.error("a GB/T 32960 report could not be stored", { vinKey: vehicle.vinKey, error });
      return "unavailable";
    },
  );
};
