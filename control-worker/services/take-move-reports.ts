import type { MoveReportEntry } from "#schema/api/moves.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { advance, type Move, react } from "#schema/domain/move.ts";
import type { Deps } from "../deps.ts";
import { advanceMoves, type Switch, switchMoves, type Transition } from "../store/move-writes.ts";
import { findMoves, toMove } from "../store/moves.ts";
import type { Statement } from "../store/statement.ts";
import { toError } from "./commit.ts";

type Report = MoveReportEntry["report"];

/** What a move becomes by a cell's reports, in their order: another step, a switch, or nothing. */
type Outcome = { readonly kind: "same" } | ({ readonly kind: "transition" } & Transition) | ({ readonly kind: "switch" } & Switch);

const SAME: Outcome = { kind: "same" };

/** The database decides whether the switch happens: both ways on are worked out, and it takes one. */
const switchOf = (before: Move, move: Move): Outcome => {
  const switched = advance(move, { kind: "committed", epoch: move.fromEpoch + 1 });
  const refused = advance(move, { kind: "failed", reason: "switch_refused" });
  return switched === null || refused === null ? SAME : { kind: "switch", before, switched, refused };
};

const decide = (before: Move, from: CellId, reports: readonly Report[]): Outcome => {
  let move = before;
  for (const report of reports) {
    const reaction = react(move, from, report);
    // What was reported behind a copy is reported again: the switch comes first.
    if (reaction.kind === "commit") return move === before ? switchOf(before, move) : { kind: "transition", before, after: move };
    if (reaction.kind === "advance") move = advance(move, reaction.event) ?? move;
  }
  return move === before ? SAME : { kind: "transition", before, after: move };
};

const toStatements = (outcomes: readonly Outcome[], now: number): readonly Statement[] => {
  const transitions = outcomes.filter((outcome) => outcome.kind === "transition");
  const switches = outcomes.filter((outcome) => outcome.kind === "switch");
  return [...(transitions.length > 0 ? [advanceMoves(transitions, now)] : []), ...(switches.length > 0 ? switchMoves(switches, now) : [])];
};

/** Takes what a cell reports of its moves, in one write. What is late, repeated or of another's changes nothing. */
export const takeMoveReports = async (deps: Deps, from: CellId, entries: readonly MoveReportEntry[]): Promise<void> => {
  if (entries.length === 0) return;
  const byMove = Map.groupBy(
    entries.map(({ report }) => report),
    ({ moveId }) => moveId,
  );
  const facts = await findMoves(deps.database, [...byMove.keys()]);
  const outcomes = facts.map(({ row }) => decide(toMove(row), from, byMove.get(row.id) ?? []));
  const statements = toStatements(outcomes, deps.clock());
  if (statements.length === 0) return;
  const written = await deps.ledger.write(statements);
  if (written.kind === "refused") throw toError(written);
};
