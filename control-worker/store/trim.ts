import { type Statement, statement } from "./statement.ts";

const ROWS_AT_ONCE = 5_000;

/** Drops the oldest rows of the feeds beyond the newest `keep`; a cursor that stood before them has to take a snapshot. */
export const trimChanges = (keep: number): Statement =>
  statement(
    `delete from cell_changes where seq in
       (select seq from cell_changes where seq <= (select max(seq) from cell_changes) - ? order by seq limit ${ROWS_AT_ONCE})`,
    keep,
  );

/** Drops what was published before a time. */
export const trimOutbox = (publishedBefore: number): Statement =>
  statement(
    `delete from outbox where seq in (select seq from outbox where published_at < ? order by published_at limit ${ROWS_AT_ONCE})`,
    publishedBefore,
  );

/** Drops answers that nobody will ask for again. */
export const trimIdempotencyKeys = (createdBefore: number): Statement =>
  statement(
    `delete from idempotency_keys where id in
       (select id from idempotency_keys where created_at < ? order by created_at limit ${ROWS_AT_ONCE})`,
    createdBefore,
  );

/** Drops the oldest events beyond the newest `keep`. */
export const trimEvents = (keep: number): Statement =>
  statement(
    `delete from events where seq in
       (select seq from events where seq <= (select max(seq) from events) - ? order by seq limit ${ROWS_AT_ONCE})`,
    keep,
  );
