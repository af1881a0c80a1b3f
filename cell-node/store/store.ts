import type { CommandState } from "#schema/domain/command.ts";
import type { MoveRole } from "#schema/domain/move-message.ts";
import type { Engine } from "./engine.ts";
import type { WriteKind } from "./writes.ts";

/** A row of `vehicles`; see schema/db/cell/tables.ts. Times are milliseconds since the epoch. */
export type VehicleRow = {
  readonly number: number;
  readonly vin: string;
  readonly vinKey: string;
  readonly state: string;
  readonly epoch: number;
  readonly otherCell: string | null;
  readonly isProvisional: boolean;
  readonly since: number;
};

export type UplinkChannel = "events" | "twin-reported" | "command-result";

/** A message of a vehicle, as text of valid JSON. */
export type MessageRow = { readonly vehicle: number; readonly id: string; readonly receivedAt: number; readonly payload: string };

export type MisfitRow = {
  readonly vehicle: number;
  readonly topic: string;
  readonly receivedAt: number;
  readonly reason: string;
  readonly payload: Buffer;
};

export type CommandRow = {
  readonly id: string;
  readonly vehicle: number;
  readonly type: string;
  readonly arguments: string;
  readonly state: CommandState;
  readonly result: string | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly updatedAt: number;
  readonly requestedBy: string;
  readonly token: string;
  readonly idempotencyKey: string;
  readonly bodyHash: string;
  readonly priority: number;
};

export type TelemetryRow = { readonly sequence: number; readonly id: string; readonly receivedAt: number; readonly payload: string };

export type TelemetryQuery = {
  readonly vehicle: number;
  readonly from: number;
  readonly to: number;
  readonly after: { readonly receivedAt: number; readonly sequence: number };
  readonly limit: number;
};

/** A row of `move_marks`; see schema/db/cell/moves.ts. */
export type MarkRow = {
  readonly vehicle: number;
  readonly moveId: string;
  readonly step: number;
  readonly role: MoveRole;
  readonly peer: string;
  readonly checksum: string | null;
  readonly isSeen: boolean;
  readonly lockedAt: number | null;
  readonly session: string | null;
};

/** A row of `twins`, and one of `twin_desired`; see schema/db/cell/twin.ts. */
export type TwinRow = {
  readonly vehicle: number;
  readonly reported: string;
  readonly boot: number;
  readonly seq: number;
  readonly reportedAt: number | null;
  readonly activity: string | null;
  readonly activityAt: number | null;
  readonly heldTerm: number | null;
  readonly heldVersion: number | null;
};
export type DesiredRow = {
  readonly vehicle: number;
  readonly term: number;
  readonly version: number;
  readonly document: string;
  readonly changedAt: number;
  readonly changedBy: string;
};

export type FactName = "cursor" | "view" | "incarnation" | "registered" | "state" | "failovers" | "replicas";

/** A row of `replicas`; see schema/db/cell/replicas.ts. */
export type ReplicaRow = {
  readonly owner: string;
  readonly vin: string;
  readonly vinKey: string;
  readonly epoch: number;
  readonly document: string;
};

/** What the parts of the cell may write; everything in one call is one transaction. */
export type Changes = {
  readonly vehicles?: readonly VehicleRow[];
  /** Numbers of vehicles whose every trace is erased. */
  readonly erased?: readonly number[];
  readonly facts?: readonly (readonly [FactName, string])[];
  readonly commands?: readonly CommandRow[];
  readonly commandStates?: readonly CommandRow[];
  /** Commands of another cell, which take the place of what is known of them here. */
  readonly copiedCommands?: readonly CommandRow[];
  /** Numbers of vehicles whose commands another cell has. */
  readonly erasedCommands?: readonly number[];
  readonly copiedTelemetry?: readonly MessageRow[];
  readonly marks?: readonly MarkRow[];
  readonly twins?: readonly TwinRow[];
  /** New versions; the history before them is kept in bounds. */
  readonly desired?: readonly DesiredRow[];
  /** Numbers of vehicles whose twins go, before those above come. */
  readonly erasedTwins?: readonly number[];
  readonly replicas?: readonly ReplicaRow[];
  readonly erasedReplicas?: readonly Pick<ReplicaRow, "owner" | "vin">[];
  readonly uplinks?: readonly (readonly [UplinkChannel, MessageRow])[];
  readonly misfits?: readonly MisfitRow[];
};

/** The cell's durable state. A write that resolved survives the machine; one that rejected changed nothing. */
export type Store = {
  storeTelemetry(row: MessageRow): Promise<undefined>;
  save(changes: Changes): Promise<undefined>;
  vehicles(): Promise<readonly VehicleRow[]>;
  lastVehicleNumber(): Promise<number>;
  facts(): Promise<ReadonlyMap<FactName, string>>;
  /** Commands that are not final, oldest first. */
  openCommands(): Promise<readonly CommandRow[]>;
  /** Open ones, and all that were created since. In order of id. */
  commandsSince(vehicle: number, since: number): Promise<readonly CommandRow[]>;
  marks(): Promise<readonly MarkRow[]>;
  twin(vehicle: number): Promise<TwinRow | null>;
  /** Latest first. */
  desired(vehicle: number, limit: number): Promise<readonly DesiredRow[]>;
  replicas(): Promise<readonly Omit<ReplicaRow, "document">[]>;
  /** The document of one vehicle's replica. */
  replica(owner: string, vin: string): Promise<string | null>;
  commandById(vehicle: number, id: string): Promise<CommandRow | null>;
  commandByIdempotencyKey(key: string): Promise<CommandRow | null>;
  telemetry(query: TelemetryQuery): Promise<readonly TelemetryRow[]>;
  close(): Promise<void>;
};

const ERASE = ["erasedVehicles", "erasedTelemetry", "erasedUplinks", "erasedMisfits", "erasedCommands", "erasedMarks"] as const;
const ERASE_TWIN = ["erasedTwins", "erasedDesired"] as const;

const commandValues = (row: CommandRow) => [
  ...[row.id, row.vehicle, row.type, row.arguments, row.state, row.result, row.createdAt, row.expiresAt, row.updatedAt],
  ...[row.requestedBy, row.token, row.idempotencyKey, row.bodyHash, row.priority],
];

const twinValues = (row: TwinRow) => [
  ...[row.vehicle, row.reported, row.boot, row.seq, row.reportedAt, row.activity, row.activityAt, row.heldTerm, row.heldVersion],
];

const desiredValues = (row: DesiredRow) => [row.vehicle, row.term, row.version, row.document, row.changedAt, row.changedBy];

const markValues = (row: MarkRow) => [
  ...[row.vehicle, row.moveId, row.step, row.role, row.peer, row.checksum, row.isSeen ? 1 : 0, row.lockedAt, row.session],
];

const rowsOf = (changes: Changes): [WriteKind, string][] => {
  const rows: [WriteKind, string][] = [];
  const add = (kind: WriteKind, values: unknown) => rows.push([kind, JSON.stringify(values)]);
  for (const row of changes.vehicles ?? []) {
    add("vehicles", [row.number, row.vin, row.vinKey, row.state, row.epoch, row.otherCell, row.isProvisional ? 1 : 0, row.since]);
  }
  for (const number of changes.erased ?? []) for (const kind of [...ERASE, ...ERASE_TWIN]) add(kind, number);
  for (const number of changes.erasedTwins ?? []) for (const kind of ERASE_TWIN) add(kind, number);
  for (const fact of changes.facts ?? []) add("facts", fact);
  for (const row of changes.commands ?? []) add("commands", commandValues(row));
  for (const number of changes.erasedCommands ?? []) add("erasedCommands", number);
  for (const row of changes.copiedCommands ?? []) add("copiedCommands", commandValues(row));
  for (const row of changes.copiedTelemetry ?? []) add("copiedTelemetry", [row.vehicle, row.id, row.receivedAt, row.payload]);
  for (const { owner, vin } of changes.erasedReplicas ?? []) add("erasedReplicas", [owner, vin]);
  for (const row of changes.replicas ?? []) add("replicas", [row.owner, row.vin, row.vinKey, row.epoch, row.document]);
  for (const row of changes.marks ?? []) add("marks", markValues(row));
  for (const row of changes.twins ?? []) add("twins", twinValues(row));
  for (const row of changes.desired ?? []) add("desired", desiredValues(row));
  for (const { vehicle } of changes.desired ?? []) add("oldDesired", vehicle);
  for (const row of changes.commandStates ?? []) add("commandStates", [row.id, row.state, row.result, row.updatedAt]);
  for (const [channel, row] of changes.uplinks ?? []) add("uplinks", [row.vehicle, channel, row.id, row.receivedAt, row.payload]);
  for (const row of changes.misfits ?? [])
    add("misfits", [row.vehicle, row.topic, row.receivedAt, row.reason, row.payload.toString("hex")]);
  return rows;
};

/** The store over its thread. Rows come back as the columns are declared; `as` here is the one place that says so. */
export const createStore = (engine: Engine): Store => {
  const read = async <Row>(...call: Parameters<Engine["read"]>) => (await engine.read(...call)) as readonly Row[];
  return {
    storeTelemetry: (row) =>
      engine.write([["telemetry", `[${row.vehicle},${JSON.stringify(row.id)},${row.receivedAt},${JSON.stringify(row.payload)}]`]]),
    save: (changes) => engine.write(rowsOf(changes)),
    vehicles: async () => {
      const rows = await read<VehicleRow>("vehicles", []);
      return rows.map((row) => ({ ...row, isProvisional: Boolean(row.isProvisional) }));
    },
    lastVehicleNumber: async () => (await read<{ number: number }>("lastVehicleNumber", []))[0]?.number ?? 0,
    facts: async () => new Map((await read<{ name: FactName; value: string }>("facts", [])).map(({ name, value }) => [name, value])),
    openCommands: () => read<CommandRow>("openCommands", []),
    commandsSince: (vehicle, since) => read<CommandRow>("commandsSince", [vehicle, since]),
    marks: async () => (await read<MarkRow>("marks", [])).map((row) => ({ ...row, isSeen: Boolean(row.isSeen) })),
    twin: async (vehicle) => (await read<TwinRow>("twin", [vehicle]))[0] ?? null,
    desired: (vehicle, limit) => read<DesiredRow>("desired", [vehicle, limit]),
    replicas: () => read<Omit<ReplicaRow, "document">>("replicas", []),
    replica: async (owner, vin) => (await read<{ document: string }>("replica", [owner, vin]))[0]?.document ?? null,
    commandById: async (vehicle, id) => (await read<CommandRow>("commandById", [vehicle, id]))[0] ?? null,
    commandByIdempotencyKey: async (key) => (await read<CommandRow>("commandByIdempotencyKey", [key]))[0] ?? null,
    telemetry: ({ vehicle, from, to, after, limit }) =>
      read<TelemetryRow>("telemetry", [vehicle, from, to, after.receivedAt, after.sequence, limit]),
    close: () => engine.close(),
  };
};
