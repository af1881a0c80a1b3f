import type { Contacts } from "../ledger/contacts.ts";
import { listCells } from "../store/cells.ts";
import { HealthJudge, toStatements } from "./judge-health.ts";
import { planFailovers } from "./plan-failovers.ts";
import type { LoopDeps } from "./port.ts";

/** Watches over the cells: what changes of their health, and who takes over because of it, is one write and one new topology (invariant I6). */
export class CellWatch {
  readonly #contacts: Contacts;
  readonly #judge: HealthJudge;

  constructor(contacts: Contacts) {
    this.#contacts = contacts;
    this.#judge = new HealthJudge(contacts);
  }

  async turn(deps: LoopDeps): Promise<void> {
    const rows = await listCells(deps.database);
    const changes = this.#judge.look(deps, rows);
    const healthOf = new Map(changes.map(({ cell, health }) => [cell.id, health]));
    const cells = rows.map((row) => ({ ...row, health: healthOf.get(row.id) ?? row.health }));
    const taken = await planFailovers(deps, cells, {
      newlyDown: changes.filter(({ health }) => health === "down").length,
      heardSince: (id) => this.#contacts.heard(id)?.since ?? null,
    });
    const statements = [...changes.flatMap((change) => toStatements(change, deps.clock())), ...taken];
    if (statements.length === 0) return;
    const outcome = await deps.write(statements);
    if (outcome.kind === "refused") return;
    for (const { cell, health } of changes) deps.logger.warn("cell health changed", { cell: cell.id, from: cell.health, to: health });
  }
}
