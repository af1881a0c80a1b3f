import type { RebuildReport } from "#schema/api/projection.ts";
import type { Deps } from "../deps.ts";
import { readSnapshot } from "../store/assignments.ts";
import { enqueueStretch } from "../store/outbox.ts";
import { republishTopology } from "../store/topologies.ts";
import { commit } from "./commit.ts";

const STRETCH = 10_000;

/** Sends the topology and every route to KV once more, a stretch of VINs at a time; the publisher follows at its own rate. */
export async function* rebuildProjection(deps: Deps): AsyncGenerator<RebuildReport> {
  let routes = 0;
  let after = "";
  await commit(deps.ledger, async () => republishTopology(deps.clock()));
  for (;;) {
    const { rows } = await readSnapshot(deps.database, null, after, STRETCH);
    const through = rows.at(-1)?.vin;
    if (through !== undefined) {
      const from = after;
      await commit(deps.ledger, async () => ({ statements: [enqueueStretch(from, through, deps.clock())], changes: [] }));
      routes += rows.length;
      after = through;
    }
    if (rows.length < STRETCH) break;
    yield { kind: "progress", routes };
  }
  yield { kind: "done", routes };
}
