import { and, eq, notInArray } from "drizzle-orm";
import { moves } from "#schema/db/control/moves.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import { type Database, reading } from "./database.ts";
import { assertThat, type Statement, statement } from "./statement.ts";

export const hasOpenMove = async (database: Database, vin: Vin): Promise<boolean> => {
  const isOpen = and(eq(moves.vin, vin), notInArray(moves.state, ["done", "aborted"]));
  return (await reading(() => database.select({ id: moves.id }).from(moves).where(isOpen).limit(1))).length > 0;
};

export type Erasure = {
  readonly vin: Vin;
  readonly vinKey: VinKey;
  readonly version: number;
  readonly epoch: number;
  readonly now: number;
};

/**
 * Takes a vehicle out of every table. Cells that ever had it, and their standbys, are told; of the VIN nothing is left but what the edge
 * and the cells must still be told with, which `forgetErased` and the outbox's trigger take away.
 */
export const eraseVehicle = ({ vin, vinKey, version, epoch, now }: Erasure): readonly Statement[] => [
  assertThat("(select version from vehicles where vin = ?) = ?", vin, version),
  assertThat("not exists (select 1 from moves where vin = ? and state not in ('done', 'aborted'))", vin),
  statement(
    `insert into cell_changes (cell, vin, vin_key, epoch, owner)
     select cell, ?, ?, ?, null from (
       select cell from cell_changes where vin = ?
       union select cells.standby from assignments join cells on cells.id = assignments.cell
         where assignments.vin = ? and cells.standby is not null)
     where cell not in (select cell from assignments where vin = ?)`,
    ...[vin, vinKey, epoch, vin, vin, vin],
  ),
  statement("delete from cell_changes where vin = ? and owner is not null", vin),
  statement("delete from assignments where vin = ?", vin),
  statement("delete from grants where vin = ?", vin),
  statement("delete from grant_changes where vin = ?", vin),
  statement("delete from moves where vin = ?", vin),
  statement("delete from vehicles where vin = ?", vin),
  statement("delete from outbox where vin = ? and published_at is not null", vin),
  statement(
    `insert into tombstones (vin_key, epoch, erased_at) values (?, ?, ?)
     on conflict (vin_key) do update set epoch = excluded.epoch, erased_at = excluded.erased_at`,
    ...[vinKey, epoch, now],
  ),
];

/** Takes the VINs of vehicles erased before a time out of the feed; who comes back later takes a snapshot. */
export const forgetErased = (erasedBefore: number): Statement =>
  statement(
    `update cell_changes set vin = '' where seq in (
       select seq from cell_changes join tombstones on tombstones.vin_key = cell_changes.vin_key
       where owner is null and vin <> '' and erased_at < ?)`,
    erasedBefore,
  );

/** Forgets grants that were revoked before a time. */
export const forgetRevoked = (revokedBefore: number): Statement => statement("delete from grants where revoked_at < ?", revokedBefore);
