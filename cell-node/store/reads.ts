const COMMAND_COLUMNS = `id, vehicle, type, arguments, state, result, created_at as createdAt, expires_at as expiresAt, updated_at as updatedAt,
  requested_by as requestedBy, token, idempotency_key as idempotencyKey, body_hash as bodyHash, priority`;

/** The queries of the store; parameters in order. */
export const READS = {
  vehicles: `select number, vin, vin_key as vinKey, state, epoch, other_cell as otherCell, is_provisional as isProvisional,
    since from vehicles`,
  lastVehicleNumber: "select coalesce(max(seq), 0) as number from sqlite_sequence where name = 'vehicles'",
  facts: "select name, value from facts",
  openCommands: `select ${COMMAND_COLUMNS} from commands where state in ('queued', 'sent', 'accepted') order by created_at, id`,
  commandsSince: `select ${COMMAND_COLUMNS} from commands
    where vehicle = ?1 and (created_at >= ?2 or state in ('queued', 'sent', 'accepted')) order by id`,
  marks: `select vehicle, move_id as moveId, step, role, peer, checksum, is_seen as isSeen, locked_at as lockedAt, session from move_marks`,
  twin: `select vehicle, reported, boot, seq, reported_at as reportedAt, activity, activity_at as activityAt, held_term as heldTerm,
    held_version as heldVersion from twins where vehicle = ?`,
  desired: `select vehicle, term, version, document, changed_at as changedAt, changed_by as changedBy from twin_desired
    where vehicle = ? order by term desc, version desc, sequence desc limit ?`,
  replicas: "select owner, vin, vin_key as vinKey, epoch from replicas",
  replica: "select document from replicas where owner = ? and vin = ?",
  commandById: `select ${COMMAND_COLUMNS} from commands where vehicle = ? and id = ?`,
  commandByIdempotencyKey: `select ${COMMAND_COLUMNS} from commands where idempotency_key = ?`,
  /** Parameters: vehicle, from, to, position (received_at, sequence), limit, last indexed sequence. A repeated id counts once, the first. */
  telemetry: `select * from (
      select sequence, id, received_at as receivedAt, payload from telemetry indexed by telemetry_by_time
        where is_indexed = 1 and vehicle = ?1 and received_at >= ?2 and received_at < ?3 and (received_at, sequence) > (?4, ?5)
        order by received_at, sequence limit ?6)
    union all
    select min(sequence), id, received_at, payload from telemetry tail
      where sequence > ?7 and vehicle = ?1
        and not exists (select 1 from telemetry seen where seen.is_indexed = 1 and seen.vehicle = ?1 and seen.id = tail.id)
      group by id
      having received_at >= ?2 and received_at < ?3 and (received_at, min(sequence)) > (?4, ?5)
    order by receivedAt, sequence limit ?6`,
} as const satisfies Record<string, string>;

export type ReadName = keyof typeof READS;
