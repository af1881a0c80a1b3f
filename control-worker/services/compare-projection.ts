import type { CompareReport } from "#schema/api/projection.ts";
import { routeKeyOf } from "#schema/domain/route.ts";
import type { Deps } from "../deps.ts";
import { type CompareDeps, compareRoutes, findExtraRoutes, type RouteDifference } from "../publish/compare-routes.ts";
import { keyersOf } from "../publish/routes.ts";
import { readSnapshot } from "../store/assignments.ts";
import { enqueueRoutes } from "../store/outbox.ts";
import { commit } from "./commit.ts";

const PAGE = 1_000;

const toReport = ({ pepperId, vinKey, fault }: RouteDifference): CompareReport => ({ kind: "difference", pepper: pepperId, vinKey, fault });

async function* findDifferences(deps: CompareDeps): AsyncGenerator<{ keys: number; differences: readonly RouteDifference[] }> {
  let after = "";
  for (;;) {
    const { rows } = await readSnapshot(deps.database, null, after, PAGE);
    yield { keys: rows.length * deps.keyers.length, differences: await compareRoutes(deps, rows) };
    if (rows.length < PAGE) break;
    after = rows.at(-1)?.vin ?? after;
  }
  let cursor: string | null = null;
  do {
    const page = await findExtraRoutes(deps, cursor);
    yield { keys: 0, differences: page.extras };
    cursor = page.cursor;
  } while (cursor !== null);
}

/** Singles first: a bare key must not be deleted behind a vehicle that has just got it. */
const mend = (deps: Deps, differences: readonly RouteDifference[]): Promise<void> => {
  const vins = new Set(differences.map(({ vin }) => vin).filter((vin) => vin !== null));
  const extras = differences.filter(({ vin }) => vin === null).map(({ pepperId, vinKey }) => routeKeyOf(pepperId, vinKey));
  const now = deps.clock();
  const after = { routes: vins.size, extras: extras.length };
  const statements = [enqueueRoutes(extras, "single", now), enqueueRoutes([...vins], "bulk", now)];
  return commit(deps.ledger, async () => ({ statements, changes: [{ target: "projection", before: null, after }] }));
};

/** Reads all of KV beside libSQL, in bounded memory; what differs can be sent through the outbox once more. */
export async function* compareProjection(deps: Deps, isMending: boolean): AsyncGenerator<CompareReport> {
  const count = { keys: 0, differences: 0, mended: 0 };
  const reader: CompareDeps = { database: deps.database, kv: deps.routes, keyers: keyersOf(deps.config.peppers) };
  for await (const { keys, differences } of findDifferences(reader)) {
    count.keys += keys;
    count.differences += differences.length;
    if (isMending && differences.length > 0) {
      await mend(deps, differences);
      count.mended += differences.length;
    }
    yield* differences.map(toReport);
    yield { kind: "progress", ...count };
  }
  yield { kind: "done", ...count };
}
