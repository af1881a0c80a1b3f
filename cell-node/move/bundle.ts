import { hash } from "node:crypto";
import type { BundledTwin } from "#schema/api/twin.ts";
import type { BundledCommand, BundledMessage, VehicleBundle } from "#schema/api/vehicle-bundle.ts";
import type { Vehicle } from "../admission/vehicle.ts";
import type { Remembered } from "../gateway/broker.ts";
import type { CommandRow, MessageRow, Store } from "../store/store.ts";
import { readTwin } from "../twin/twin-bundle.ts";

const COMMANDS_MS = 24 * 3_600_000;
const TELEMETRY_MS = 3_600_000;
/** More than ten messages a second for the hour. Beyond it the latest stay behind: the source sends all of them to the centre anyway. */
const TELEMETRY_LIMIT = 40_000;
const FROM_START = { receivedAt: -1, sequence: -1 };

const toBundled = ({ vehicle: _, token: __, ...command }: CommandRow): BundledCommand => command;

/** What the cell has of a vehicle that it holds still, as of the moment at which the lock was granted: the same however often it is read. */
export const readBundle = async (
  store: Store,
  { number, vin, vinKey, since }: Vehicle,
  at: { readonly lockedAt: number; readonly session: readonly Remembered[] },
): Promise<VehicleBundle> => {
  const [commands, telemetry, twin] = await Promise.all([
    store.commandsSince(number, at.lockedAt - COMMANDS_MS),
    store.telemetry({
      ...{ vehicle: number, from: at.lockedAt - TELEMETRY_MS, to: Number.MAX_SAFE_INTEGER, after: FROM_START, limit: TELEMETRY_LIMIT },
    }),
    readTwin(store, number),
  ]);
  return {
    ...{ vin, vinKey },
    completeFrom: Math.max(since, at.lockedAt - TELEMETRY_MS),
    commands: commands.map(toBundled),
    telemetry: telemetry.map(({ id, receivedAt, payload }) => ({ id, receivedAt, payload })),
    twin,
    subscriptions: [...at.session],
  };
};

const commandValues = (command: BundledCommand) => [
  ...[command.id, command.type, command.arguments, command.state, command.result, command.createdAt, command.expiresAt],
  ...[command.updatedAt, command.requestedBy, command.idempotencyKey, command.bodyHash],
];

const twinValues = (twin: BundledTwin) => [
  ...[twin.reported, twin.boot, twin.seq, twin.reportedAt, twin.activity, twin.activityAt, twin.heldTerm, twin.heldVersion],
  twin.desired.map(({ term, version, document, changedAt, changedBy }) => [term, version, document, changedAt, changedBy]),
];

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const compareMessages = (a: BundledMessage, b: BundledMessage): number => a.receivedAt - b.receivedAt || compareText(a.id, b.id);

/** SHA-256, base64url, over the bundle in a fixed order of members and entries: both cells compute it, of whatever release they are. */
export const checksumOf = (bundle: VehicleBundle): string => {
  const canonical = [
    ...[bundle.vin, bundle.vinKey, bundle.completeFrom],
    bundle.commands.toSorted((a, b) => compareText(a.id, b.id)).map(commandValues),
    bundle.telemetry.toSorted(compareMessages).map(({ id, receivedAt, payload }) => [id, receivedAt, payload]),
    bundle.subscriptions.toSorted((a, b) => compareText(a.topic, b.topic)).map(({ topic, qos }) => [topic, qos]),
    ...(bundle.twin === null ? [] : [twinValues(bundle.twin)]),
  ];
  return hash("sha256", JSON.stringify(canonical), "base64url");
};

export const commandRowsOf = (bundle: VehicleBundle, vehicle: number): CommandRow[] =>
  bundle.commands.map((command) => ({ ...command, vehicle, token: "" }));

export const telemetryRowsOf = (bundle: VehicleBundle, vehicle: number): MessageRow[] =>
  bundle.telemetry.map((message) => ({ ...message, vehicle }));
