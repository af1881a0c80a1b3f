import { CellReport } from "#schema/api/sync.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { advance, isOpen, type Move, type MoveEvent, maySwitch, orderFor, planMove, react, type Truth } from "#schema/domain/move.ts";
import type { MoveReport } from "#schema/domain/move-message.ts";
import type { Control } from "./control.ts";
import type { TestVehicle } from "./vehicles.ts";

type Told = { readonly cell: CellId; readonly report: MoveReport };

/** Control's half of moves, by the tables of schema/domain: gives each cell all its orders with every answer, again and again. */
export type Moves = {
  start(vehicle: TestVehicle, from: CellId, to: CellId, epoch: number): string;
  get(id: string): Move;
  fail(id: string): void;
  /** What cells have reported, oldest first. */
  readonly told: Told[];
  /** While set, a report that it refuses is not taken: control is slow, or away. */
  mayTake: (told: Told) => boolean;
};

export const createMoves = (control: Control): Moves => {
  const moves = new Map<string, { move: Move; truth: Truth; readonly vehicle: TestVehicle }>();
  const moving: Moves = {
    told: [],
    mayTake: () => true,
    get(id) {
      const found = moves.get(id);
      if (found === undefined) throw new Error(id);
      return found.move;
    },
    start(vehicle, source, target, epoch) {
      const last = [...moves.values()].filter((entry) => entry.vehicle.vin === vehicle.vin).at(-1);
      const id = `move-${vehicle.vin}-${moves.size}`;
      const planned = planMove({ id, source, target, fromEpoch: epoch, lastStep: last?.move.step ?? 0 });
      const move = advance(planned, { kind: "started", deadlineAt: Date.now() + 20_000 });
      if (move === null) throw new Error("a planned move starts");
      moves.set(id, { move, truth: { cell: source, epoch }, vehicle });
      return id;
    },
    fail: (id) => step(id, { kind: "failed", reason: "operator" }),
  };

  const step = (id: string, event: MoveEvent): void => {
    const entry = moves.get(id);
    const next = entry === undefined ? null : advance(entry.move, event);
    if (entry !== undefined && next !== null) entry.move = next;
  };

  const take = ({ cell, report }: Told): void => {
    const entry = moves.get(report.moveId);
    if (entry === undefined) return;
    const reaction = react(entry.move, cell, report);
    if (reaction.kind === "advance") step(report.moveId, reaction.event);
    if (reaction.kind !== "commit" || !maySwitch(entry.move, entry.truth)) return;
    entry.truth = { cell: entry.move.target, epoch: entry.truth.epoch + 1 };
    control.assign({ ...entry.vehicle, ...entry.truth });
    step(report.moveId, { kind: "committed", epoch: entry.truth.epoch });
  };

  control.extend = (cell, request) => {
    for (const item of request.observed.reports) {
      const report = CellReport.parse(item);
      if (report.kind !== "move") continue;
      const told = { cell, report: report.report };
      moving.told.push(told);
      if (moving.mayTake(told)) take(told);
    }
    const orders = [...moves.values()].flatMap(({ move, truth, vehicle }) => {
      const order = orderFor(move, cell, truth);
      const peerEndpoint = order === null ? undefined : control.view.endpoints[order.peer]?.https;
      return order === null ? [] : [{ ...vehicle, order, ...(peerEndpoint !== undefined && { peerEndpoint }) }];
    });
    const isBusy = [...moves.values()].some(({ move }) => isOpen(move));
    return { orders, ordersCursor: moves.size, syncAfterMs: isBusy ? 100 : 2_000 };
  };
  return moving;
};
