import type { CellId } from "#schema/domain/cell.ts";
import { advanceFailover, type FailoverState, mayEndReturn } from "#schema/domain/failover.ts";
import { advance, isOpen, type Move, type MoveEvent, maySwitch, orderFor, planMove, react, type Truth } from "#schema/domain/move.ts";
import type { Step } from "./checker.ts";
import { type Message, send, type ToControl } from "./network.ts";
import type { Rules } from "./rules.ts";
import { type Bounds, CELLS, failoverOf, peerOf, type World, withControl } from "./world.ts";

/**
 * What control tells both cells of the move at hand: in life with each sync, here once, since a message is never used up. Why a move failed changes nothing
 * of what follows and is not told apart.
 */
const withMove = (world: World, next: Move | null, truth = world.control.truth): World => {
  const move = next === null || next.failure === null ? next : ({ ...next, failure: "operator" } as const);
  const orders = move === null ? [] : CELLS.map((to) => ({ to, order: orderFor(move, to, truth) }));
  const messages = orders.map(({ to, order }): Message | null => (order === null ? null : { to, kind: "order", order }));
  return send(withControl(world, { move, truth }), ...messages);
};

/** One transaction (I3): the new truth, what the edge and the cells have to learn of it, and the move that it is part of. */
const withTruth = (world: World, truth: Truth, move: Move | null): World => {
  const published = withControl(world, { published: [...world.control.published, truth] });
  const told = new Set([truth.cell, world.control.truth.cell]);
  return withMove(send(published, ...[...told].map((to): Message => ({ to, kind: "feed", ...truth }))), move, truth);
};

const withFailover = (world: World, of: CellId, failover: FailoverState): World => {
  const failovers = { ...world.control.failovers, [of]: failover };
  return send(withControl(world, { failovers }), ...CELLS.map((to): Message => ({ to, kind: "account", of, failover })));
};

const moveOn = (world: World, event: MoveEvent): World | null => {
  const next = world.control.move === null ? null : advance(world.control.move, event);
  return next === null ? null : withMove(world, next);
};

/** The switch: the new owner and the step of the move in one transaction, or neither. */
const commit = (world: World, move: Move, rules: Rules): World | null => {
  const { truth } = world.control;
  if (!maySwitch(move, truth)) return moveOn(world, { kind: "failed", reason: "switch_refused" });
  const epoch = rules.nextEpoch(truth.epoch, 0);
  const next = advance(move, { kind: "committed", epoch });
  return next === null ? null : withTruth(world, { cell: move.target, epoch }, next);
};

/** Control takes a message; null when it changes nothing. */
export const takeAtControl = (world: World, message: ToControl, rules: Rules): World | null => {
  const { move } = world.control;
  if (message.kind === "guests") {
    const of = peerOf(message.from);
    const state = failoverOf(world, of);
    const next = mayEndReturn(state, message) ? advanceFailover(state, { kind: "return_ended" }) : null;
    return next === null ? null : withFailover(world, of, next);
  }
  if (move === null) return null;
  const reaction = react(move, message.from, message.report);
  if (reaction.kind === "ignore") return null;
  return reaction.kind === "commit" ? commit(world, move, rules) : moveOn(world, reaction.event);
};

const startMove = (world: World): World | null => {
  const { move, truth, movesLeft } = world.control;
  const isServing = CELLS.every((id) => failoverOf(world, id).phase === "serving");
  if (movesLeft === 0 || !isServing || (move !== null && isOpen(move))) return null;
  const parties = { source: truth.cell, target: peerOf(truth.cell), fromEpoch: truth.epoch };
  const planned = planMove({ id: `move ${movesLeft}`, ...parties, lastStep: move?.step ?? 0 });
  const started = advance(planned, { kind: "started", deadlineAt: 1 });
  return withMove(withControl(world, { movesLeft: movesLeft - 1 }), started);
};

const raiseEpoch = (world: World, rules: Rules): World | null => {
  const { truth, move, raisesLeft } = world.control;
  if (raisesLeft === 0) return null;
  const raised = { cell: truth.cell, epoch: rules.nextEpoch(truth.epoch, 0) };
  return withTruth(withControl(world, { raisesLeft: raisesLeft - 1 }), raised, move);
};

/** Rightly or wrongly, control finds the owner dead: its standby takes over, and a move that has not switched is given up in the same transaction. */
const declareFailover = (world: World, most: number): World | null => {
  const { truth, move } = world.control;
  const [of, standby] = [truth.cell, peerOf(truth.cell)];
  const terms = CELLS.reduce((sum, id) => sum + failoverOf(world, id).term, 0);
  const next = advanceFailover(failoverOf(world, of), { kind: "declared", standby });
  if (next === null || terms >= most || failoverOf(world, standby).phase !== "serving") return null;
  const reason = move?.source === of ? "source_lost" : "target_lost";
  return withFailover(moveOn(world, { kind: "failed", reason }) ?? world, of, next);
};

const beginReturn = (world: World, of: CellId): World | null => {
  const next = advanceFailover(failoverOf(world, of), { kind: "return_begun" });
  return next === null ? null : withFailover(world, of, next);
};

const step = (label: string, next: World | null, isFault: boolean): Step<World>[] => (next === null ? [] : [{ label, next, isFault }]);

/** What control does of its own accord. */
export const controlSteps = (world: World, rules: Rules, bounds: Bounds): Step<World>[] => [
  ...step("control starts a move", startMove(world), true),
  ...step("the operator aborts the move", bounds.hasMishaps ? moveOn(world, { kind: "failed", reason: "operator" }) : null, true),
  ...step("control raises the epoch", raiseEpoch(world, rules), true),
  ...step("control declares a failover", declareFailover(world, bounds.failovers), true),
  ...CELLS.flatMap((id) => step(`control begins the return of ${id}`, beginReturn(world, id), false)),
];
