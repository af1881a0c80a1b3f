import type { CellRegistration } from "#schema/api/cells.ts";
import { type AssignmentChange, CellView, SyncAnswer, type SyncRequest } from "#schema/api/sync.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Logger } from "#schema/http/log.ts";
import type { Failovers } from "../admission/failovers.ts";
import type { TableCompleteness } from "../admission/table-completeness.ts";
import type { Vehicle } from "../admission/vehicle.ts";
import type { VehicleTable } from "../admission/vehicle-table.ts";
import { createWorld, type World } from "../admission/world.ts";
import type { Clock } from "../clock.ts";
import type { Exchange } from "../move/exchange.ts";
import type { Marks } from "../move/marks.ts";
import type { FactName, Store } from "../store/store.ts";
import type { ControlAnswer, ControlClient } from "./control-client.ts";
import { reconcile } from "./reconcile.ts";
import { registerCell } from "./register-cell.ts";
import { createWitness } from "./witness.ts";

export type SyncContext = {
  readonly self: CellId;
  readonly control: ControlClient;
  readonly store: Store;
  readonly table: VehicleTable;
  readonly completeness: TableCompleteness;
  readonly failovers: Failovers;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Null when there is no join token: the cell was registered before. */
  readonly registration: CellRegistration | null;
  readonly observe: () => Omit<SyncRequest["observed"], "reports">;
  readonly marks: Pick<Marks, "get">;
  readonly exchange: Exchange;
  readonly onWorld: (world: World) => void;
  /** Who serves whose vehicles has changed. */
  readonly onFailovers: () => void;
  /** Vehicles that are another's, or nobody's, from now on. */
  readonly onLost: (vehicles: readonly Vehicle[]) => void;
};

/** What to do next: sync again at once, at the usual pace, or after a failure. */
export type Pace = "at_once" | "usual" | "failed";

export type Syncer = {
  step(): Promise<Pace>;
  /** The usual pace, as control last asked for it. */
  usualMs(): number;
};

/** The cell's side of §4.5. One `step` registers or exchanges one page; changes, cursor and view reach the disk in one transaction. */
export const createSyncer = async (context: SyncContext): Promise<Syncer> => {
  const { self, control, store, table, completeness, clock, logger, marks, exchange, failovers } = context;
  const facts = new Map(await store.facts());
  let cursor = facts.get("cursor") ?? null;
  let isRegistered = facts.has("registered") || context.registration === null;
  /** The pages so far, and when the first was asked for: what changed since is in the increments behind them. */
  let snapshot: { readonly changes: readonly AssignmentChange[]; readonly sentAtMs: number } | null = null;
  let viewVersion = 0;
  let syncAfterMs = Number.POSITIVE_INFINITY;
  const witness = createWitness();

  const known = CellView.safeParse(JSON.parse(facts.get("view") ?? "null")).data;
  if (known !== undefined) {
    viewVersion = known.version;
    context.onWorld(createWorld(known));
  }

  const register = async (registration: CellRegistration): Promise<Pace> => {
    const outcome = await registerCell(control, logger, registration);
    if (outcome !== "registered") return "failed";
    await store.save({ facts: [["registered", "true"]] });
    isRegistered = true;
    logger.info("registered with control");
    return "at_once";
  };

  const takeProblem = (answer: Exclude<ControlAnswer, { kind: "ok" }>): Pace => {
    if (answer.kind === "unreachable") {
      logger.debug("control cannot be reached", { cause: answer.cause });
      return "failed";
    }
    if (answer.code === "resnapshot") {
      logger.warn("control asks for a new snapshot");
      cursor = null;
      snapshot = null;
      return "at_once";
    }
    logger.warn("sync refused", { status: answer.status, code: answer.code, detail: answer.detail });
    const isUnknown = answer.status === 401 || answer.status === 403 || answer.status === 404;
    if (isUnknown && answer.code !== "clock_skew" && context.registration !== null) isRegistered = false;
    return "failed";
  };

  const take = async (answer: SyncAnswer, sentAtMs: number): Promise<Pace> => {
    if (answer.isSnapshot || snapshot !== null) {
      snapshot = { changes: [...(snapshot?.changes ?? []), ...answer.changes], sentAtMs: snapshot?.sentAtMs ?? sentAtMs };
    }
    const askedAtMs = snapshot?.sentAtMs ?? sentAtMs;
    const isPartial = answer.isSnapshot && answer.hasMore;
    const isSnapshotEnd = snapshot !== null && !isPartial;
    const update = isPartial
      ? { set: [], drop: [], erase: [] }
      : reconcile({
          self,
          changes: snapshot?.changes ?? answer.changes,
          isSnapshot: isSnapshotEnd,
          isCaughtUp: !answer.hasMore,
          sentAtMs: askedAtMs,
          nowMs: clock.nowMs(),
          find: table.get,
          all: table.all,
          numberFor: table.numberFor,
          markOf: ({ number }) => marks.get(number),
        });
    const news: [FactName, string][] = [];
    if (!isPartial && answer.cursor !== facts.get("cursor")) news.push(["cursor", answer.cursor]);
    if (answer.view !== undefined) news.push(["view", JSON.stringify(answer.view)]);
    if (answer.desired.state !== facts.get("state")) news.push(["state", answer.desired.state]);
    const accounts = failovers.textAfter(answer.failovers);
    if (accounts !== (facts.get("failovers") ?? "[]")) news.push(["failovers", accounts]);
    await table.update({ ...update, facts: news });
    failovers.take(answer.failovers);
    if (news.some(([name]) => name === "failovers")) context.onFailovers();
    for (const [name, value] of news) facts.set(name, value);
    cursor = answer.cursor;
    if (isSnapshotEnd) snapshot = null;
    if (answer.view !== undefined) {
      viewVersion = answer.view.version;
      context.onWorld(createWorld(answer.view));
    }
    context.onLost([...update.set.filter(({ record }) => record.state === "moved"), ...update.drop, ...update.erase]);
    completeness.heard(askedAtMs, !answer.hasMore);
    return answer.hasMore ? "at_once" : "usual";
  };

  const sync = async (): Promise<Pace> => {
    const { reports, ordersCursor } = exchange.ask();
    const observed = { ...context.observe(), witness: witness.testimonies(), reports: [...reports] };
    const request: SyncRequest = { observed, cursor, viewVersion, ordersCursor };
    const answer = await control.post(`/v1/cells/${self}/sync`, request);
    if (answer.kind !== "ok") return takeProblem(answer);
    const parsed = SyncAnswer.safeParse(answer.body);
    if (!parsed.success) {
      logger.error("control's answer does not fit the contract", { cause: parsed.error });
      return "failed";
    }
    clock.correct(parsed.data.now, answer.sentAtMs, answer.receivedAtMs);
    const pace = await take(parsed.data, answer.sentAtMs);
    exchange.hear(parsed.data, reports);
    witness.ask(parsed.data.desired.probe);
    syncAfterMs = parsed.data.syncAfterMs;
    return pace;
  };

  return {
    usualMs: () => syncAfterMs,
    step: () => (isRegistered || context.registration === null ? sync() : register(context.registration)),
  };
};
