import type { CellId } from "#schema/domain/cell.ts";
import { isOpen } from "#schema/domain/move.ts";
import { cellSteps, serves, takeAtCell } from "./cells.ts";
import type { Model, Step } from "./checker.ts";
import { controlSteps, takeAtControl } from "./control.ts";
import { describe, forget, isForControl, type Message, messagesIn, send } from "./network.ts";
import { RULES, type Rules } from "./rules.ts";
import { vehicleSteps } from "./vehicle.ts";
import { A, type Bounds, CELLS, type Cell, cellOf, failoverOf, peerOf, type World, worldAtStart } from "./world.ts";

const deliver = (world: World, message: Message, rules: Rules, bounds: Bounds): Step<World>[] => {
  const label = `${message.to} takes ${describe(message)}`;
  if (!isForControl(message)) return takeAtCell(world, message, rules, bounds).map((next) => ({ label, next, isFault: false }));
  const next = takeAtControl(world, message, rules);
  return next === null ? [] : [{ label: `${label} of ${message.from}`, next, isFault: false }];
};

const recordAt = (world: World, id: CellId) => cellOf(world, id).holding.record;

const has = ({ data, buffer }: Cell, message: string): boolean => data.messages.includes(message) || buffer.includes(message);

/** Messages that were acknowledged to the vehicle and that its owner does not have. */
const missingAtOwner = (world: World): string[] => {
  const owner = cellOf(world, world.control.truth.cell);
  return world.vehicle.acknowledged.filter((message) => !has(owner, message));
};

const invariants: Model<World>["invariants"] = {
  "I1: at each epoch at most one cell admits the vehicle as its owner": (world) =>
    Object.values(world.vehicle.owners).every((cells) => cells.length <= 1),
  "I2: no cell knows an epoch that control has not issued": (world) =>
    CELLS.every((id) => (recordAt(world, id)?.epoch ?? 0) <= world.control.truth.epoch),
  "I7: what was acknowledged is with the owner, or with the standby that stands in for it": (world) => {
    const missing = missingAtOwner(world);
    const owner = world.control.truth.cell;
    if (missing.length === 0) return true;
    const isStoodInFor = failoverOf(world, owner).phase !== "serving";
    return isStoodInFor && missing.every((message) => has(cellOf(world, peerOf(owner)), message));
  },
  "I9: no command is executed twice, nor after its expiry": (world) =>
    world.vehicle.executed.length <= 1 && !world.vehicle.hasExecutedExpired,
  "while control relies on the lock, the source holds it": (world) => {
    const { move } = world.control;
    return move?.state !== "copying" || recordAt(world, move.source)?.state === "locked";
  },
  "only the owner of the latest epoch serves as owner": (world) =>
    CELLS.every((id) => recordAt(world, id)?.state !== "owned" || !serves(world, id) || id === world.control.truth.cell),
};

const stepInvariants: Model<World>["stepInvariants"] = {
  "I2: epochs only rise": (before, after) =>
    before === after ||
    (after.control.truth.epoch >= before.control.truth.epoch &&
      CELLS.every((id) => (recordAt(after, id)?.epoch ?? 0) >= (recordAt(before, id)?.epoch ?? 0))),
  "a lock ends by proof: control has given the move up, or the vehicle has another owner": (before, after) =>
    CELLS.every((id) => {
      const { record, mark } = cellOf(before, id).holding;
      if (record?.state !== "locked" || recordAt(after, id)?.state === "locked") return true;
      const { move, truth } = before.control;
      const isGivenUp = move === null || move.id !== mark?.moveId || move.state === "unlocking" || !isOpen(move);
      return isGivenUp || truth.cell !== id;
    }),
};

/** The move is over, nothing is held for it, everyone is home, and the vehicle is connected to the cell that owns it. */
const isSettled = (world: World): boolean => {
  const { truth, move } = world.control;
  if ((move !== null && isOpen(move)) || world.vehicle.at !== truth.cell || !serves(world, truth.cell)) return false;
  if (CELLS.some((id) => failoverOf(world, id).phase !== "serving")) return false;
  const record = recordAt(world, truth.cell);
  const isHeldElsewhere = CELLS.some((id) => ["locked", "copied"].includes(recordAt(world, id)?.state ?? ""));
  return record?.state === "owned" && record.epoch === truth.epoch && !isHeldElsewhere;
};

const isFailedOver = (world: World): boolean => failoverOf(world, world.control.truth.cell).phase === "failed_over";
const isStoodIn = (world: World): boolean => {
  const standby = peerOf(world.control.truth.cell);
  return isFailedOver(world) && world.vehicle.at === standby && serves(world, standby);
};

const situationsOf = (bounds: Bounds): Model<World>["situations"] => ({
  "a message is acknowledged": ({ vehicle }) => vehicle.acknowledged.length > 0,
  ...(bounds.moves > 0 && {
    "a move is done": ({ control }) => control.move?.state === "done",
    "a move is aborted": ({ control }) => control.move?.state === "aborted",
  }),
  ...(bounds.hasCommand && { "a command is executed": ({ vehicle }) => vehicle.executed.length > 0 }),
  ...(bounds.failovers > 0 && {
    "a guest is acknowledged what its owner does not know": (world) => missingAtOwner(world).length > 0,
    "a return ends": (world) => CELLS.some((id) => failoverOf(world, id).phase === "serving" && failoverOf(world, id).term > 0),
  }),
});

/** One vehicle, two cells and control, within bounds: every order in which messages may come and parties may fail. */
export const modelOf = (bounds: Bounds, rules: Rules = RULES): Model<World> => ({
  initial: forget(send(worldAtStart(bounds), { to: A, kind: "feed", cell: A, epoch: 1 }), rules),
  steps: (world) =>
    [
      ...messagesIn(world).flatMap((message) => deliver(world, message, rules, bounds)),
      ...controlSteps(world, rules, bounds),
      ...cellSteps(world, rules, bounds),
      ...vehicleSteps(world, rules, bounds),
    ].map((step) => ({ ...step, next: forget(step.next, rules) })),
  invariants,
  stepInvariants,
  goals: {
    "without further faults the move ends and the vehicle is connected to its owner": { from: () => true, to: isSettled },
    "without further faults a vehicle is served while its cell is failed over": { from: isFailedOver, to: isStoodIn },
  },
  situations: situationsOf(bounds),
});
