import { DurableObject } from "cloudflare:workers";
import type { DurableObjectState } from "@cloudflare/workers-types";
import type { CellId } from "#schema/domain/cell.ts";
import { createLogger, type Logger } from "#schema/http/log.ts";
import { parseConfig } from "../config.ts";
import type { Env } from "../env.ts";
import { openClient } from "../store/database.ts";
import type { Statement } from "../store/statement.ts";
import { ControlCore } from "./control-core.ts";
import type { Candidate, Contact, LedgerPort, PlacementMode, PlacementNote, Said } from "./port.ts";

const TICK_MS = 1_000;
/** An alarm that did not come for so long is set again: a handler that failed often is never called any more. */
const ALARM_OVERDUE_MS = 3 * TICK_MS;

/** The ledger as a Durable Object: one instance, addressed by name. */
export class Ledger extends DurableObject<Env> implements LedgerPort {
  readonly #logger: Logger;
  readonly #core: Promise<ControlCore>;
  #tickedAt = Number.NEGATIVE_INFINITY;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const config = parseConfig(env);
    this.#logger = createLogger("control-worker", config.logLevel);
    this.#core = ctx.blockConcurrencyWhile(async () => {
      const holder = (await ctx.storage.get<string>("holder")) ?? crypto.randomUUID();
      await ctx.storage.put("holder", holder);
      return new ControlCore({
        open: () => openClient({ url: config.databaseUrl, token: config.databaseToken }),
        kv: env.ROUTES,
        config,
        logger: this.#logger,
        holder,
        clock: Date.now,
        random: Math.random,
        fetch: (url, init) => fetch(url, init),
        later: (run, milliseconds) => void setTimeout(run, milliseconds),
      });
    });
  }

  async write(statements: readonly Statement[], said?: Said) {
    return (await this.#awake()).write(statements, said);
  }

  async place(candidates: readonly Candidate[], mode: PlacementMode, said?: PlacementNote) {
    return (await this.#awake()).place(candidates, mode, said);
  }

  async contact(contact: Contact) {
    return (await this.#awake()).contact(contact);
  }

  async heard(cell: CellId) {
    (await this.#awake()).heard(cell);
  }

  async status() {
    return (await this.#awake()).status();
  }

  /** The next alarm comes first: one that throws is retried ever more rarely and then never again. */
  override async alarm(): Promise<void> {
    this.#tickedAt = Date.now();
    await this.ctx.storage.setAlarm(Date.now() + TICK_MS);
    try {
      await (await this.#core).tick();
    } catch (error) {
      this.#logger.error("tick failed", { error });
    }
  }

  async #awake(): Promise<ControlCore> {
    if (Date.now() - this.#tickedAt > ALARM_OVERDUE_MS) {
      this.#tickedAt = Date.now();
      await this.ctx.storage.setAlarm(Date.now() + TICK_MS);
    }
    return this.#core;
  }
}
