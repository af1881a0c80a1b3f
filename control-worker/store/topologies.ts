import { desc, isNotNull } from "drizzle-orm";
import { topologies } from "#schema/db/control/tables.ts";
import type { Topology } from "#schema/domain/topology.ts";
import { type Database, reading } from "./database.ts";
import { build, type Statement, statement, statementOf } from "./statement.ts";

export type TopologyRow = typeof topologies.$inferSelect;

export const findLatestTopology = async (database: Database): Promise<TopologyRow | null> =>
  (await reading(() => database.select().from(topologies).orderBy(desc(topologies.version)).limit(1)))[0] ?? null;

/** Version and publication of the newest topology, without its document. */
export const findLatestVersion = async (database: Database): Promise<Pick<TopologyRow, "version" | "publishedAt"> | null> => {
  const columns = { version: topologies.version, publishedAt: topologies.publishedAt };
  return (await reading(() => database.select(columns).from(topologies).orderBy(desc(topologies.version)).limit(1)))[0] ?? null;
};

export const findPublishedTopology = async (database: Database): Promise<TopologyRow | null> =>
  (
    await reading(() =>
      database.select().from(topologies).where(isNotNull(topologies.publishedAt)).orderBy(desc(topologies.version)).limit(1),
    )
  )[0] ?? null;

export const insertTopology = (document: Topology, now: number): Statement =>
  statementOf(build.insert(topologies).values({ version: document.version, document, createdAt: now }));

export const markTopologyVersion = (version: number, now: number): Statement =>
  statement("update topologies set published_at = ? where version = ?", now, version);

/** The newest topology counts as not published: the publisher writes it once more. */
export const republishTopology = (now: number): readonly Statement[] => [
  statement("update topologies set published_at = null where version = (select max(version) from topologies)"),
  statement("insert into outbox (kind, vin, lane, created_at) values ('topology', '', 'single', ?)", now),
];
