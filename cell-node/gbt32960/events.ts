import { fieldsOf } from "./information.ts";
import type { Report } from "./telemetry.ts";

/** What a vehicle says of its faults, in a form that can be compared. */
export type AlarmState = { readonly level: number; readonly alarms: readonly string[]; readonly faults: readonly string[] };

export const NO_ALARM: AlarmState = { level: 0, alarms: [], faults: [] };

export type CloudEvent = {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time: string;
  readonly datacontenttype: "application/json";
  readonly data: Readonly<Record<string, unknown>>;
};

const SOURCE = "gbt32960";
const FAULTS = { storageFaults: "storage", motorFaults: "motor", engineFaults: "engine", otherFaults: "other" } as const;

export const toEvent = (id: string, type: string, timeMs: number, data: CloudEvent["data"]): CloudEvent => ({
  specversion: "1.0",
  id,
  source: SOURCE,
  type,
  time: new Date(timeMs).toISOString(),
  datacontenttype: "application/json",
  data,
});

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The alarms of a report; null when it carries none of that information. */
export const alarmStateOf = ({ units }: Pick<Report, "units">): AlarmState | null => {
  const unit = units.find((one) => one.kind === "known" && one.name === "alarms");
  if (unit?.kind !== "known") return null;
  const value = fieldsOf(unit.value);
  const faults = Object.entries(FAULTS).flatMap(([field, name]) => listOf(value[field]).map((fault) => `${name}:${fault}`));
  return { level: typeof value["level"] === "number" ? value["level"] : 0, alarms: listOf(value["alarms"]).map(String), faults };
};

const without = (from: readonly string[], those: readonly string[]): readonly string[] => from.filter((one) => !those.includes(one));

/**
 * An alarm stands until it is lifted (tables 18 and 24) and is repeated in each report: an event is what changed since the one before.
 * Null when nothing did.
 */
export const alarmEvent = (report: Report, before: AlarmState, now: AlarmState): CloudEvent | null => {
  const raised = [...without(now.alarms, before.alarms), ...without(now.faults, before.faults)];
  const lifted = [...without(before.alarms, now.alarms), ...without(before.faults, now.faults)];
  if (raised.length + lifted.length === 0 && now.level === before.level) return null;
  const isOver = now.level === 0 && now.alarms.length + now.faults.length === 0;
  return toEvent(`${report.id}-alarm`, isOver ? "vehicle.alarm.lifted" : "vehicle.alarm", report.time, { ...now, raised, lifted });
};
