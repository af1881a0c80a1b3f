import type { CellId } from "#schema/domain/cell.ts";
import type { Logger } from "#schema/http/log.ts";
import type { Config } from "../config.ts";
import { CampaignLoop } from "../loops/campaign-loop.ts";
import { finishDrains } from "../loops/finish-drains.ts";
import { finishSeizures } from "../loops/finish-seizures.ts";
import { giveUpMoves } from "../loops/give-up-moves.ts";
import type { LoopDeps } from "../loops/port.ts";
import { CellWatch } from "../loops/watch-cells.ts";
import { ProjectionWatch } from "../loops/watch-projection.ts";
import type { PublishDeps, RouteKv, RouteReader } from "../publish/port.ts";
import { Publisher } from "../publish/publisher.ts";
import { updateObserved } from "../store/cells.ts";
import { type DatabaseClient, databaseOf } from "../store/database.ts";
import { forgetErased, forgetRevoked } from "../store/erasure.ts";
import { readLease } from "../store/leases.ts";
import { readBacklog } from "../store/outbox.ts";
import { type Statement, toInStatement } from "../store/statement.ts";
import { trimChanges, trimEvents, trimIdempotencyKeys, trimOutbox } from "../store/trim.ts";
import { Contacts } from "./contacts.ts";
import { Ledger } from "./ledger.ts";
import type { Candidate, Contact, ContactOutcome, LedgerPort, LedgerStatus, PlacementMode, PlacementNote, Refused, Said } from "./port.ts";
import { Writer } from "./writer.ts";

export type CoreOptions = {
  readonly open: () => DatabaseClient;
  readonly kv: RouteKv & RouteReader;
  readonly config: Config;
  readonly logger: Logger;
  /** Names this instance across its restarts: it takes its own lease back at once. */
  readonly holder: string;
  readonly clock: () => number;
  readonly random: () => number;
  readonly fetch: LoopDeps["fetch"];
  readonly later: (run: () => void, milliseconds: number) => void;
};

const TRIM_INTERVAL_MS = 10_000;
/** A cell or POP that was away for more changes than these takes a snapshot. */
const KEPT_CHANGES = 1_000_000;
const KEPT_EVENTS = 1_000_000;
const KEPT_OUTBOX_MS = 24 * 3600 * 1000;
/** Cells sync every 2 s: by then those that are there have been told of an erased vehicle. */
const TOLD_AFTER_MS = 10 * 60_000;
/** No access token that is older than a revocation outlives it. */
const KEPT_REVOCATIONS_MS = 24 * 3600 * 1000;
const KEPT_IDEMPOTENCY_KEYS_MS = 24 * 3600 * 1000;

/** Ledger, lease, contacts and publisher of one control-worker: all that a Durable Object wraps. */
export class ControlCore implements LedgerPort {
  readonly #options: CoreOptions;
  readonly #writer: Writer;
  readonly #ledger: Ledger;
  readonly #publisher: Publisher;
  readonly #projection: ProjectionWatch;
  readonly #contacts = new Contacts();
  readonly #cells = new CellWatch(this.#contacts);
  readonly #campaigns = new CampaignLoop();
  #trimmedAt = 0;

  constructor(options: CoreOptions) {
    const { open, config, logger, holder, clock } = options;
    this.#options = options;
    this.#writer = new Writer({ open, holder, leaseSeconds: config.leaseSeconds, clock });
    this.#ledger = new Ledger({
      writer: this.#writer,
      logger,
      clock,
      placeableAfterSeconds: config.placeableAfterSeconds,
      onCommit: () => void this.publish(),
    });
    const { random, later } = options;
    this.#projection = new ProjectionWatch(options.kv, config);
    this.#publisher = new Publisher({ open: () => this.#publishDeps(), config, clock, random, logger, later });
  }

  write(statements: readonly Statement[], said?: Said) {
    return this.#ledger.write(statements, said);
  }

  place(candidates: readonly Candidate[], mode: PlacementMode, said?: PlacementNote) {
    return this.#ledger.place(candidates, mode, said);
  }

  async contact(contact: Contact): Promise<ContactOutcome> {
    const refused = await this.#renewIfDue();
    if (refused !== null) return refused;
    const verdict = this.#contacts.judge(contact);
    if (verdict.kind === "quarantined") return verdict;
    if (verdict.isNews) {
      const outcome = await this.#ledger.write([updateObserved(contact.cell, contact)]);
      if (outcome.kind === "refused") return outcome;
    }
    this.#contacts.remember(contact, this.#options.clock());
    return { kind: "accepted" };
  }

  async heard(cell: CellId): Promise<void> {
    this.#contacts.hear(cell, this.#options.clock());
  }

  /** What the alarm drives, about once a second. Publishing goes on by itself: the lease must not wait for it. */
  async tick(): Promise<void> {
    if ((await this.#renewIfDue()) !== null) return;
    void this.publish();
    await this.#turnLoops();
    const now = this.#options.clock();
    if (now - this.#trimmedAt < TRIM_INTERVAL_MS) return;
    this.#trimmedAt = now;
    await this.#ledger.write([
      trimChanges(KEPT_CHANGES),
      trimEvents(KEPT_EVENTS),
      trimOutbox(now - KEPT_OUTBOX_MS),
      trimIdempotencyKeys(now - KEPT_IDEMPOTENCY_KEYS_MS),
      forgetErased(now - TOLD_AFTER_MS),
      forgetRevoked(now - KEPT_REVOCATIONS_MS),
    ]);
  }

  /** One turn of each loop; one that fails keeps neither the others nor the lease waiting. */
  async #turnLoops(): Promise<void> {
    const { open, config, logger, clock, fetch } = this.#options;
    const client = open();
    const write: LoopDeps["write"] = (statements, said) => this.write(statements, said);
    const deps: LoopDeps = { database: databaseOf(client), write, config, logger, clock, fetch };
    const loops = {
      cells: () => this.#cells.turn(deps),
      campaigns: () => this.#campaigns.turn(deps),
      "giving up": () => giveUpMoves(deps),
      drains: () => finishDrains(deps),
      seizures: () => finishSeizures(deps),
      projection: () => this.#projection.turn(deps),
    };
    for (const [loop, turn] of Object.entries(loops)) {
      await turn().catch((error: unknown) => logger.warn("a loop failed", { loop, error }));
    }
    client.close();
  }

  /** Publishes until nothing is due. */
  publish(): Promise<void> {
    return this.#publisher.run();
  }

  async status(): Promise<LedgerStatus> {
    const client = this.#options.open();
    try {
      const backlog = await readBacklog(databaseOf(client));
      const pendingIn = (lane: string) => backlog.find((row) => row.lane === lane)?.pending ?? 0;
      const oldestSingle = backlog.find((row) => row.lane === "single")?.oldestAt;
      return {
        isWriter: this.#writer.term !== null,
        term: this.#writer.term,
        queued: this.#ledger.queued,
        contacts: this.#contacts.size,
        pendingSingles: pendingIn("single"),
        pendingBulk: pendingIn("bulk"),
        publishLagMs: oldestSingle === undefined ? 0 : Math.max(0, this.#options.clock() - oldestSingle),
      };
    } finally {
      client.close();
    }
  }

  /** Renews the lease when a third of it has passed, by an empty write; null when it is held. */
  async #renewIfDue(): Promise<Refused | null> {
    const { clock, config } = this.#options;
    const isFresh = clock() - this.#writer.confirmedAt < (config.leaseSeconds * 1000) / 3;
    if (this.#writer.term !== null && isFresh) return null;
    const outcome = await this.#ledger.write([]);
    return outcome.kind === "refused" ? outcome : null;
  }

  #publishDeps(): PublishDeps {
    const { open, kv, config, logger, clock, random } = this.#options;
    const client = open();
    return {
      database: databaseOf(client),
      kv,
      write: (statements) => this.#ledger.write(statements),
      holdsLease: async () => {
        const [result] = await client.batch([toInStatement(readLease)], "read");
        const row = result?.rows[0];
        return row?.["holder"] === this.#writer.holder && row["term"] === this.#writer.term;
      },
      config,
      logger,
      clock,
      random,
      close: () => client.close(),
    };
  }
}
