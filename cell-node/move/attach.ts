import type { GuestsEntry } from "#schema/api/failover.ts";
import type { SigningKey } from "#schema/crypto/keys.ts";
import type { Logger } from "#schema/http/log.ts";
import type { AdmissionContext } from "../admission/admit-vehicle.ts";
import type { Vehicle } from "../admission/vehicle.ts";
import type { Broker } from "../gateway/broker.ts";
import type { Store } from "../store/store.ts";
import type { CellTwins } from "../twin/start-twins.ts";
import type { CommandDesk } from "../vehicle/command-desk.ts";
import type { Serving } from "../vehicle/serving.ts";
import { createExchange, type Exchange } from "./exchange.ts";
import { createHoldings } from "./holdings.ts";
import type { Marks } from "./marks.ts";
import { createMoveDesk } from "./move-desk.ts";
import { createOrderQueue } from "./order-queue.ts";
import { pullVehicle } from "./pull-vehicle.ts";
import { createReports } from "./reports.ts";

export type MoveParts = {
  readonly admission: AdmissionContext;
  readonly key: SigningKey;
  readonly marks: Marks;
  readonly serving: Serving;
  readonly store: Store;
  readonly commands: CommandDesk;
  readonly twins: Pick<CellTwins, "desk" | "forget">;
  readonly broker: Broker;
  readonly logger: Logger;
  readonly dismiss: (vehicle: Vehicle) => void;
  /** There is something to say to control. */
  readonly onReport: () => void;
  readonly guestReports: () => GuestsEntry[];
};

export type CellMoves = { readonly exchange: Exchange; readonly onAdmitted: (vehicle: Vehicle) => void };

const PULL_TIMEOUT_MS = 10_000;

/** Puts the cell's side of moves to work, and sessions that came with copies back in their place. */
export const startMoves = async (parts: MoveParts): Promise<CellMoves> => {
  const { admission, key, marks, broker, logger, onReport } = parts;
  const { self, table, clock } = admission;
  const holdings = createHoldings({ table, marks, clock });
  const reports = createReports(onReport);
  const pulling = { self, key, clock, timeoutMs: PULL_TIMEOUT_MS };
  const desk = createMoveDesk({
    ...{ ...parts, self, table, clock, holdings, report: reports.put },
    broker: () => broker,
    pull: (request) => pullVehicle(pulling, request),
  });
  const queue = createOrderQueue(desk.obey, ({ vinKey, order }, error) =>
    logger.error("a move order could not be carried out", { vinKey, moveId: order.moveId, error }),
  );
  for (const [number, { session }] of marks.entries()) {
    const vehicle = session.length > 0 ? table.byNumber(number) : undefined;
    if (vehicle !== undefined) await broker.remember(vehicle.vinKey, session);
  }
  return {
    exchange: createExchange({ holdings, queue, reports, clock, guestReports: parts.guestReports }),
    onAdmitted: (vehicle) => void desk.admitted(vehicle),
  };
};
