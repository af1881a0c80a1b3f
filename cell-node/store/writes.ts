import { DESIRED_HISTORY } from "#schema/domain/merge.ts";

/** A column list and one expression a column over a JSON row `r.value`, an array. */
const rowsInto = (verb: string, table: string, columns: readonly string[], expressions: readonly string[] = []) =>
  `${verb} into ${table} (${columns.join(", ")})
   select ${columns.map((_, i) => expressions[i] ?? `r.value->>${i}`).join(", ")} from json_each(?) r where true`;

const COMMANDS = [
  ...["id", "vehicle", "type", "arguments", "state", "result", "created_at", "expires_at", "updated_at", "requested_by", "token"],
  ...["idempotency_key", "body_hash", "priority"],
];

const TWINS = ["vehicle", "reported", "boot", "seq", "reported_at", "activity", "activity_at", "held_term", "held_version"];
const DESIRED = ["vehicle", "term", "version", "document", "changed_at", "changed_by"];

/** The statements of a group commit, one a kind, in the order in which one transaction runs them. Each takes a JSON array of rows. */
export const WRITES = {
  vehicles: `${rowsInto("insert", "vehicles", ["number", "vin", "vin_key", "state", "epoch", "other_cell", "is_provisional", "since"])}
    on conflict (number) do update set vin_key = excluded.vin_key, state = excluded.state, epoch = excluded.epoch,
      other_cell = excluded.other_cell, is_provisional = excluded.is_provisional, since = excluded.since`,
  erasedVehicles: "delete from vehicles where number in (select value from json_each(?))",
  erasedTelemetry: "delete from telemetry where vehicle in (select value from json_each(?))",
  erasedUplinks: "delete from uplinks where vehicle in (select value from json_each(?))",
  erasedMisfits: "delete from misfits where vehicle in (select value from json_each(?))",
  erasedCommands: "delete from commands where vehicle in (select value from json_each(?))",
  erasedMarks: "delete from move_marks where vehicle in (select value from json_each(?))",
  commands: rowsInto("insert or ignore", "commands", COMMANDS),
  copiedCommands: `${rowsInto("insert", "commands", COMMANDS)}
    on conflict (id) do update set vehicle = excluded.vehicle, state = excluded.state, result = excluded.result, updated_at = excluded.updated_at,
      token = excluded.token
    on conflict do nothing`,
  commandStates: `update commands set state = r.value->>1, result = r.value->>2, updated_at = r.value->>3
    from json_each(?) r where commands.id = r.value->>0`,
  telemetry: rowsInto("insert", "telemetry", ["vehicle", "id", "received_at", "payload"]),
  copiedTelemetry: rowsInto("insert", "telemetry", ["vehicle", "id", "received_at", "payload", "is_copied"], [...Array(4), "1"]),
  uplinks: rowsInto("insert or ignore", "uplinks", ["vehicle", "channel", "id", "received_at", "payload"]),
  misfits: rowsInto("insert", "misfits", ["vehicle", "topic", "received_at", "reason", "payload"], [...Array(4), "unhex(r.value->>4)"]),
  marks: `${rowsInto("insert", "move_marks", ["vehicle", "move_id", "step", "role", "peer", "checksum", "is_seen", "locked_at", "session"])}
    on conflict (vehicle) do update set move_id = excluded.move_id, step = excluded.step, role = excluded.role, peer = excluded.peer,
      checksum = excluded.checksum, is_seen = excluded.is_seen, locked_at = excluded.locked_at, session = excluded.session`,
  erasedTwins: "delete from twins where vehicle in (select value from json_each(?))",
  erasedDesired: "delete from twin_desired where vehicle in (select value from json_each(?))",
  twins: rowsInto("insert or replace", "twins", TWINS),
  desired: rowsInto("insert", "twin_desired", DESIRED),
  oldDesired: `delete from twin_desired where vehicle in (select value from json_each(?)) and ${DESIRED_HISTORY} < (
    select count(*) from twin_desired newer where newer.vehicle = twin_desired.vehicle
      and (newer.term, newer.version, newer.sequence) > (twin_desired.term, twin_desired.version, twin_desired.sequence))`,
  erasedReplicas: `delete from replicas where exists
    (select 1 from json_each(?) r where replicas.owner = r.value->>0 and replicas.vin = r.value->>1)`,
  replicas: rowsInto("insert or replace", "replicas", ["owner", "vin", "vin_key", "epoch", "document"]),
  facts: rowsInto("insert or replace", "facts", ["name", "value"]),
} as const satisfies Record<string, string>;

export type WriteKind = keyof typeof WRITES;
export const WRITE_KINDS = Object.keys(WRITES) as WriteKind[];
