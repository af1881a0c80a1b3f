import type { AddressedOrder } from "#schema/api/moves.ts";
import type { VehicleBundle } from "#schema/api/vehicle-bundle.ts";
import { type ActivityReport, disturbanceOf } from "#schema/domain/activity.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { failCopy, grantLock, keepCopy, type Obeyed, see, takeCopy, takeLock, takeSettle } from "#schema/domain/cell-move.ts";
import type { CopyOrder, LockOrder, MoveReport, SettleOrder } from "#schema/domain/move-message.ts";
import type { Logger } from "#schema/http/log.ts";
import type { Vehicle } from "../admission/vehicle.ts";
import type { VehicleTable } from "../admission/vehicle-table.ts";
import type { Clock } from "../clock.ts";
import type { Broker } from "../gateway/broker.ts";
import type { Store } from "../store/store.ts";
import type { CellTwins } from "../twin/start-twins.ts";
import { twinChanges } from "../twin/twin-bundle.ts";
import type { CommandDesk } from "../vehicle/command-desk.ts";
import type { Serving } from "../vehicle/serving.ts";
import { checksumOf, commandRowsOf, readBundle, telemetryRowsOf } from "./bundle.ts";
import type { Holdings } from "./holdings.ts";
import type { Marks } from "./marks.ts";
import type { Obey } from "./order-queue.ts";
import type { PullRequest } from "./pull-vehicle.ts";

export type MoveContext = {
  readonly self: CellId;
  readonly table: VehicleTable;
  readonly marks: Marks;
  readonly holdings: Holdings;
  readonly serving: Serving;
  readonly store: Store;
  readonly commands: CommandDesk;
  readonly twins: Pick<CellTwins, "desk" | "forget">;
  readonly broker: () => Broker;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pull: (request: PullRequest) => Promise<VehicleBundle | null>;
  /** Tells a connected vehicle where it went, and ends its session. */
  readonly dismiss: (vehicle: Vehicle) => void;
  readonly report: (vinKey: Vehicle["vinKey"], report: MoveReport) => void;
};

/** Carries out what schema/domain/cell-move.ts answers. Each answer is on disk before it is reported. */
export type MoveDesk = {
  readonly obey: Obey;
  /** A vehicle was admitted as this cell's own: the end of a move, if it came by one. */
  admitted(vehicle: Vehicle): Promise<void>;
};

/** For so long work that has begun may keep a vehicle from being still; then it is served on and asked again. */
const STILL_WITHIN_MS = 2_000;

/** In the middle of these a vehicle is not locked while there is time to wait. */
const MINDED = ["command", "update", "drive"] as const;

export const createMoveDesk = (context: MoveContext): MoveDesk => {
  const { self, table, marks, holdings, serving, store, commands, twins, broker, clock, logger, report } = context;

  const isStillInTime = async (number: number): Promise<boolean> => {
    const { promise, resolve } = Promise.withResolvers<false>();
    const timer = setTimeout(resolve, STILL_WITHIN_MS, false);
    const isStill = await Promise.race([serving.still(number).then(() => true), promise]);
    clearTimeout(timer);
    return isStill;
  };

  const lock = async ({ vin, vinKey }: AddressedOrder, order: LockOrder): Promise<"done" | "again"> => {
    const vehicle = table.get(vin);
    const activityNow = async () => (vehicle === undefined ? null : twins.desk.activityOf(vehicle));
    const decide = (activity: ActivityReport | null) => {
      const hasCommandUnderWay = vehicle !== undefined && commands.isInFlight(vehicle);
      const disturbance = disturbanceOf({ hasCommandUnderWay, report: activity }, MINDED, clock.nowMs());
      return takeLock(holdings.of(vin), order, { disturbance, nowMs: clock.nowMs() });
    };
    const first = decide(await activityNow());
    if (first.kind !== "grant" || vehicle === undefined) {
      if (first.kind !== "grant") report(vinKey, first.report);
      return first.kind === "waiting" ? "again" : "done";
    }
    try {
      if (!(await isStillInTime(vehicle.number))) return "again";
      const at = { lockedAt: clock.nowMs(), session: await broker().remembered(vinKey) };
      const checksum = checksumOf(await readBundle(store, vehicle, at));
      const activity = await activityNow();
      // What came while it was read decides again: a ticket, the feed, a command that had already gone out, a drive that has begun.
      if (decide(activity).kind !== "grant" || table.get(vin) !== vehicle) return "again";
      const granted = grantLock(order, checksum);
      await holdings.put(vehicle, granted.holding, { kept: at });
      report(vinKey, granted.report);
      return "done";
    } finally {
      serving.resume(vehicle.number);
    }
  };

  const copy = async ({ vin, vinKey, peerEndpoint }: AddressedOrder, order: CopyOrder): Promise<"done"> => {
    const first = takeCopy(holdings.of(vin), order);
    if (first.kind !== "pull") {
      report(vinKey, first.report);
      return "done";
    }
    const { peer: source, moveId } = order;
    const bundle = peerEndpoint === undefined ? null : await context.pull({ source, endpoint: peerEndpoint, moveId, vinKey });
    if (bundle === null || bundle.vin !== vin || bundle.vinKey !== vinKey) {
      report(vinKey, failCopy(holdings.of(vin), order).report);
      return "done";
    }
    const signed = await Promise.all(commandRowsOf(bundle, 0).map((row) => commands.signAgain({ vin }, row)));
    const kept = keepCopy(holdings.of(vin), order, checksumOf(bundle));
    if (kept.kind === "obeyed") {
      const rowsOf = (vehicle: number) => signed.map((row) => ({ ...row, vehicle }));
      const vehicle = await holdings.put({ vin, vinKey }, kept.holding, {
        kept: { lockedAt: null, session: bundle.subscriptions },
        since: bundle.completeFrom,
        changes: (number) => ({
          ...{ copiedCommands: rowsOf(number), copiedTelemetry: telemetryRowsOf(bundle, number) },
          ...twinChanges(bundle.twin, number),
        }),
      });
      if (vehicle !== null) {
        commands.adopt(rowsOf(vehicle.number));
        await twins.forget(vehicle.number);
      }
      await broker().remember(vinKey, bundle.subscriptions);
    }
    report(vinKey, kept.report);
    return "done";
  };

  /** The vehicle is another cell's: what it needs there went with it, or was never more than a copy. */
  const letGo = async (vehicle: Vehicle): Promise<void> => {
    context.dismiss(vehicle);
    commands.release(vehicle.number);
    await twins.forget(vehicle.number);
    await broker().remember(vehicle.vinKey, []);
  };

  const settle = async ({ vin, vinKey }: AddressedOrder, order: SettleOrder): Promise<"done"> => {
    const before = holdings.of(vin);
    const settled = takeSettle(self, before, order);
    if (settled === null) return "done";
    if (settled.holding === before) {
      report(vinKey, settled.report);
      return "done";
    }
    const { record } = settled.holding;
    const isAway = record?.state === "moved";
    const wentOn = order.role === "source" && order.owner === order.peer;
    const isCopyOnly = order.role === "target" && before.record?.state === "copied";
    const mark = marks.get(table.get(vin)?.number ?? 0);
    const vehicle = await holdings.put({ vin, vinKey }, settled.holding, {
      kept: { lockedAt: null, session: isAway ? [] : (mark?.session ?? []) },
      changes: (number) => (isAway && (wentOn || isCopyOnly) ? { erasedCommands: [number], erasedTwins: [number] } : {}),
    });
    if (vehicle !== null && isAway) await letGo(vehicle);
    if (vehicle !== null) serving.resume(vehicle.number);
    const session = isAway ? undefined : broker().sessionOf(vinKey);
    if (session !== undefined) void commands.deliverTo(session);
    report(vinKey, settled.report);
    return "done";
  };

  const keep = async (vehicle: Vehicle, { holding, report: seen }: Obeyed): Promise<void> => {
    await holdings.put(vehicle, holding);
    report(vehicle.vinKey, seen);
  };

  return {
    obey(addressed) {
      const { order } = addressed;
      switch (order.kind) {
        case "lock":
          return lock(addressed, order);
        case "copy":
          return copy(addressed, order);
        case "settle":
          return settle(addressed, order);
      }
    },
    async admitted(vehicle) {
      const seen = see(holdings.of(vehicle.vin));
      if (seen === null) return;
      await keep(vehicle, seen).catch((error: unknown) =>
        logger.error("an arrival could not be stored", { vinKey: vehicle.vinKey, error }),
      );
    },
  };
};
