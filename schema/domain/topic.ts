import type { Vin } from "./vin.ts";

export type Direction = "up" | "down";
type Channel = { readonly name: string; readonly direction: Direction; readonly pattern: RegExp };

/** The channels of a vehicle below `v1/{vin}/` (design §4.6). */
const CHANNELS = [
  { name: "telemetry", direction: "up", pattern: /^telemetry$/ },
  { name: "events", direction: "up", pattern: /^events$/ },
  { name: "twin-reported", direction: "up", pattern: /^twin\/reported$/ },
  { name: "command-result", direction: "up", pattern: /^commands\/([A-Za-z0-9_-]{1,64})\/result$/ },
  { name: "twin-desired", direction: "down", pattern: /^twin\/desired$/ },
  { name: "commands", direction: "down", pattern: /^commands$/ },
  { name: "session", direction: "down", pattern: /^session$/ },
] as const satisfies readonly Channel[];

export type ChannelName = (typeof CHANNELS)[number]["name"];
export type VehicleTopic = { readonly channel: ChannelName; readonly direction: Direction; readonly commandId: string | null };

/** Reads a topic as one of this vehicle's own; null for wildcards, `$` topics, other vehicles and unknown channels. */
export const parseTopic = (vin: Vin, topic: string): VehicleTopic | null => {
  const prefix = `v1/${vin}/`;
  if (!topic.startsWith(prefix)) return null;
  const rest = topic.slice(prefix.length);
  for (const { name, direction, pattern } of CHANNELS) {
    const match = pattern.exec(rest);
    if (match !== null) return { channel: name, direction, commandId: match[1] ?? null };
  }
  return null;
};

/** Whether the vehicle may publish to a topic, wills included: its own, upwards. */
export const mayPublish = (vin: Vin, topic: string): boolean => parseTopic(vin, topic)?.direction === "up";

/** Whether the vehicle may subscribe to a filter: one of its own topics downwards, spelled out. */
export const maySubscribe = (vin: Vin, filter: string): boolean => parseTopic(vin, filter)?.direction === "down";

/** The topic of a channel of one vehicle. */
export const topicOf = (vin: Vin, channel: "telemetry" | "events" | "commands" | "session" | "twin/reported" | "twin/desired"): string =>
  `v1/${vin}/${channel}`;

/** The MQTT 5 response topic of a command. */
export const resultTopicOf = (vin: Vin, commandId: string): string => `v1/${vin}/commands/${commandId}/result`;
