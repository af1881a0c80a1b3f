import type { Logger } from "#schema/http/log.ts";
import { insertAudit, readAuditTail } from "../store/audit.ts";
import type { Result, Statement } from "../store/statement.ts";
import { type AuditTail, chainAudit, toAuditTail } from "./audit-chain.ts";
import { outcomeOf, readFor, toFacts, toMade, toStatements } from "./placement-batch.ts";
import type { PlacementFacts } from "./placement-facts.ts";
import { EMPTY_PLAN, type PlacementPlan, type PlacementRequest, planPlacements } from "./plan-placements.ts";
import type { Candidate, Change, PlacementMode, PlacementNote, PlaceOutcome, Said, WriteOutcome } from "./port.ts";
import { type NotCommitted, refusalFor, refusalOf } from "./refusals.ts";
import { RuleBook } from "./rule-book.ts";
import type { Writer } from "./writer.ts";

type Noted = { readonly changes: readonly Change[]; readonly statements: readonly Statement[] };
type WriteItem = Noted & {
  readonly kind: "write";
  readonly settle: (outcome: WriteOutcome) => void;
};
type PlaceItem = Noted & PlacementRequest & { readonly kind: "place"; readonly settle: (outcome: PlaceOutcome) => void };
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

type Known = { readonly facts: PlacementFacts; readonly plan: PlacementPlan; readonly auditTail: AuditTail };

/** Gathers what arrives while a batch is under way into the next one, and decides each item on its own. */
export class Ledger {
  readonly #options: LedgerOptions;
  readonly #queue: Item[] = [];
  readonly #rules = new RuleBook();
  #isRunning = false;
  #isAway = false;

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  get queued(): number {
    return this.#queue.length;
  }

  write(statements: readonly Statement[], { changes = [] }: Said = {}): Promise<WriteOutcome> {
    return new Promise((settle) => this.#enqueue({ kind: "write", statements, changes, settle }));
  }

  place(candidates: readonly Candidate[], mode: PlacementMode, { changes = [], also = [] }: PlacementNote = {}): Promise<PlaceOutcome> {
    return new Promise((settle) => this.#enqueue({ kind: "place", candidates, mode, changes, statements: also, settle }));
  }

  #enqueue(item: Item): void {
    if (this.#queue.length >= MAX_QUEUED) {
      item.settle(refusalOf("full"));
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
        for (const item of items) item.settle(refusalOf("failed"));
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
    const placing = toStatements(known.plan, clock());
    const writing = items.flatMap((item) => item.statements);
    const auditing = chainAudit(
      known.auditTail,
      items.flatMap(({ changes }) => changes),
      clock(),
    );
    const statements = [...placing, ...writing, ...(auditing.length > 0 ? [insertAudit(auditing)] : [])];
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

  /** The exact state that this gathering is decided on: nobody else writes until it is committed. */
  async #look(items: readonly Item[]): Promise<Known | null> {
    const requests = items.filter((item) => item.kind === "place");
    const placing = requests.length > 0 ? [...readFor(requests), this.#rules.statement] : [];
    const auditing = items.some(({ changes }) => changes.length > 0) ? [readAuditTail] : [];
    const reads = [...placing, ...auditing];
    const results = reads.length === 0 ? [] : await this.#options.writer.read(reads);
    if (results === null) return null;
    const auditTail = toAuditTail(results.slice(placing.length).at(0));
    if (requests.length === 0) return { facts: new Map(), plan: EMPTY_PLAN, auditTail };
    const { cells, facts } = toFacts(results, this.#options.placeableAfterSeconds);
    const rules = this.#rules.take(results[placing.length - 1]);
    return { facts, plan: planPlacements(requests, facts, cells, rules, this.#options.clock()), auditTail };
  }

  #answer(items: readonly Item[], { facts, plan }: Known, results: readonly Result[], placingCount: number): void {
    const made = toMade(plan, results.slice(0, placingCount));
    let next = placingCount;
    for (const item of items) {
      const own = results.slice(next, next + item.statements.length);
      next += item.statements.length;
      if (item.kind === "write") item.settle({ kind: "written", results: own });
      else item.settle({ kind: "decided", outcomes: item.candidates.map((candidate) => outcomeOf(candidate, facts, plan, made)) });
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

  #refuse(items: readonly Item[], commit: NotCommitted): void {
    if (commit.kind === "unavailable" && !this.#isAway) {
      this.#isAway = true;
      this.#options.logger.error("the database cannot be reached", { cause: commit.cause });
    }
    if (commit.kind === "refused") {
      this.#options.logger[commit.fault === "invalid" ? "error" : "info"]("a write was refused", { detail: commit.detail });
    }
    for (const item of items) item.settle(refusalFor(commit));
  }
}
