import { type Statement, statement } from "./statement.ts";

/** sqld's clock decides about leases, whatever the callers' say. */
const NOW = "cast(unixepoch('subsec') * 1000 as integer)";

/** Takes the lease when it has lapsed or is this holder's own, at the next term; answers no row when another holds it. */
export const acquireLease = (holder: string, leaseSeconds: number): Statement =>
  statement(
    `insert into leases (name, holder, term, expires_at) values ('writer', ?, 1, ${NOW} + ?)
     on conflict (name) do update set holder = excluded.holder, term = leases.term + 1, expires_at = excluded.expires_at
     where leases.holder = excluded.holder or leases.expires_at <= ${NOW}
     returning term, batch`,
    holder,
    leaseSeconds * 1000,
  );

/** Whose the lease is, and whether it has lapsed: read before it is asked for, so that waiting for it writes nothing. */
export const readLeaseState: Statement = statement(`select holder, expires_at <= ${NOW} as isLapsed from leases where name = 'writer'`);

/** First statement of each batch: fails it as a whole when holder and term are no longer the lease's, and renews the lease otherwise. */
export const fence = (lease: { holder: string; term: number; leaseSeconds: number; batch: string }): Statement =>
  statement(
    `update leases set holder = case when holder = ? and term = ? then holder end, expires_at = ${NOW} + ?, batch = ? where name = 'writer'`,
    lease.holder,
    lease.term,
    lease.leaseSeconds * 1000,
    lease.batch,
  );

/** How SQLite names the column that `fence` leaves null. */
export const FENCE_FAULT = "leases.holder";

export const readLease: Statement = statement("select holder, term from leases where name = 'writer'");
