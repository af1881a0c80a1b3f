import type { CellId } from "#schema/domain/cell.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { Logger } from "#schema/http/log.ts";
import { insertAssignments, readPlacementFacts } from "../store/assignments.ts";
import { readPlacementCells } from "../store/cells.ts";
import type { Result, Statement } from "../store/statement.ts";
import { enrolVehicles, importVehicles } from "../store/vehicles.ts";
import {
  outcomeOf,
  type PlacementPlan,
  type PlacementRequest,
  planPlacements,
  toPlacementCell,
  toPlacementFact,
} from "./plan-placements.ts";
import type { Candidate, PlacementMode, PlaceOutcome, Refused, WriteOutcome } from "./port.ts";
import type { Commit, Writer } from "./writer.ts";

type WriteItem = { readonly kind: "write"; readonly statements: readonly Statement[]; readonly settle: (outcome: WriteOutcome) => void };
type PlaceItem = PlacementRequest & { readonly kind: "place"; readonly settle: (outcome: PlaceOutcome) => void };
type Item = WriteItem | PlaceItem;

export type LedgerOptions = {
  readonly writer: Writer;
  readonly logger: Logger;
  readonly clock: () => number;
  readonly placeableAfterSeconds: number;
  /** Called after each commit that changed something. */
  readonly onCommit: () => void;
};

/** When the queue is full, callers are told to come back. */
const MAX_QUEUED = 5_000;
const MAX_GATHERED = 2_000;

const refusedBy = (commit: Exclude<Commit, { kind: "committed" }>): Refused => {
  if (commit.kind === "lost")
    return { kind: "refused", code: "not_the_writer", detail: "another control-worker holds the writer's lease", retryAfterSeconds: 1 };
  if (commit.kind === "unavailable")
    return { kind: "refused", code: "database_unavailable", detail: "the database cannot be reached right now", retryAfterSeconds: 2 };
  if (commit.fault === "invalid")
    return { kind: "refused", code: "internal", detail: "the database did not understand the write", retryAfterSeconds: 1 };
  return { kind: "refused", code: "conflict", detail: "the resource has changed meanwhile", retryAfterSeconds: 1 };
};

const BUSY: Refused = { kind: "refused", code: "busy", detail: "too many writes are waiting", retryAfterSeconds: 1 };

const EMPTY_PLAN: PlacementPlan = { enrol: [], imports: [], assign: [], refused: new Map() };
type Known = { readonly facts: ReadonlyMap<Vin, ReturnType<typeof toPlacementFact>[1]>; readonly plan: PlacementPlan };

/** Gathers what arrives while a batch is under way into the next one, and decides each item on its own. */
export class Ledger {
  readonly #options: LedgerOptions;
  readonly #queue: Item[] = [];
  #isRunning = false;
  #isAway = false;

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  get queued(): number {
    return this.#queue.length;
  }

  write(statements: readonly Statement[]): Promise<WriteOutcome> {
    return new Promise((settle) => this.#enqueue({ kind: "write", statements, settle }));
  }

  place(candidates: readonly Candidate[], mode: PlacementMode): Promise<PlaceOutcome> {
    return new Promise((settle) => this.#enqueue({ kind: "place", candidates, mode, settle }));
  }

  #enqueue(item: Item): void {
    if (this.#queue.length >= MAX_QUEUED) {
      item.settle(BUSY);
      return;
    }
    this.#queue.push(item);
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#queue.length > 0) {
      const items = this.#queue.splice(0, MAX_GATHERED);
      try {
        await this.#settle(items);
      } catch (error) {
        this.#options.logger.error("a batch failed", { error });
        for (const item of items) item.settle({ ...BUSY, detail: "the write failed" });
      }
    }
    this.#isRunning = false;
  }

  async #settle(items: readonly Item[]): Promise<void> {
    const { writer, clock, onCommit } = this.#options;
    const held = await writer.hold();
    if (held.kind !== "held") return this.#refuse(items, held);
    const known = await this.#look(items);
    if (known === null) return this.#refuse(items, { kind: "unavailable", cause: null });
    const now = clock();
    const { enrol, imports, assign } = known.plan;
    const placing = [
      ...(enrol.length > 0 ? [enrolVehicles(enrol, now)] : []),
      ...(imports.length > 0 ? [importVehicles(imports, now)] : []),
      ...(assign.length > 0 ? [insertAssignments(assign, now)] : []),
    ];
    const statements = [...placing, ...items.flatMap((item) => (item.kind === "write" ? item.statements : []))];
    if (statements.length === 0 && items.every((item) => item.kind === "place")) return this.#answer(items, known, [], 0);
    const commit = await writer.commit(statements);
    if (commit.kind === "refused" && items.length > 1) {
      // One of them is poisoned: halves find it, and it fails alone.
      const middle = items.length >> 1;
      await this.#settle(items.slice(0, middle));
      return this.#settle(items.slice(middle));
    }
    if (commit.kind !== "committed") return this.#refuse(items, commit);
    this.#noteReturn();
    if (commit.results === null) return this.#answerUnseen(items);
    this.#answer(items, known, commit.results, placing.length);
    if (statements.length > 0) onCommit();
  }

  /** The exact state that the placements of this gathering are decided on: nobody else writes until they are committed. */
  async #look(items: readonly Item[]): Promise<Known | null> {
    const requests = items.filter((item) => item.kind === "place");
    if (requests.length === 0) return { facts: new Map(), plan: EMPTY_PLAN };
    const vins = new Set(requests.flatMap(({ candidates }) => candidates.map(({ vin }) => vin)));
    const results = await this.#options.writer.read([readPlacementCells, readPlacementFacts([...vins])]);
    if (results === null) return null;
    const cells = (results[0]?.rows ?? []).map((row) => toPlacementCell(row, this.#options.placeableAfterSeconds));
    const facts = new Map((results[1]?.rows ?? []).map(toPlacementFact));
    return { facts, plan: planPlacements(requests, facts, cells, this.#options.clock()) };
  }

  #answer(items: readonly Item[], known: Known, results: readonly Result[], placingCount: number): void {
    const returned = results.slice(0, placingCount).flatMap(({ rows }) => rows) as { vin: Vin; epoch?: number }[];
    const cellOf = new Map<Vin, CellId>(known.plan.assign.map(({ vin, cell }) => [vin, cell]));
    const changed = new Set<Vin>();
    const placed = new Map<Vin, { cell: CellId; epoch: number }>();
    for (const { vin, epoch } of returned) {
      const cell = cellOf.get(vin);
      if (epoch === undefined) changed.add(vin);
      else if (cell !== undefined) placed.set(vin, { cell, epoch });
    }
    let next = placingCount;
    for (const item of items) {
      if (item.kind === "place") {
        item.settle({ kind: "decided", outcomes: item.candidates.map((candidate) => outcomeOf(candidate, known, { changed, placed })) });
        continue;
      }
      item.settle({ kind: "written", results: results.slice(next, next + item.statements.length) });
      next += item.statements.length;
    }
  }

  /** Stored, but the answer was lost: placements look again, which decides them as assigned. */
  #answerUnseen(items: readonly Item[]): void {
    for (const item of items) {
      if (item.kind === "place") this.#enqueue(item);
      else item.settle({ kind: "written", results: null });
    }
    this.#options.onCommit();
  }

  #noteReturn(): void {
    if (this.#isAway) this.#options.logger.info("the database is back");
    this.#isAway = false;
  }

  #refuse(items: readonly Item[], commit: Exclude<Commit, { kind: "committed" }>): void {
    if (commit.kind === "unavailable" && !this.#isAway) {
      this.#isAway = true;
      this.#options.logger.error("the database cannot be reached", { cause: commit.cause });
    }
    if (commit.kind === "refused") {
      this.#options.logger[commit.fault === "invalid" ? "error" : "info"]("a write was refused", { detail: commit.detail });
    }
    for (const item of items) item.settle(refusedBy(commit));
  }
}
