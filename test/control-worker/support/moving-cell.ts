import type { AddressedOrder } from "#schema/api/moves.ts";
import type { SyncAnswer } from "#schema/api/sync.ts";
import { type CellId, parseCellId } from "#schema/domain/cell.ts";
import {
  failCopy,
  grantLock,
  type Holding,
  heldMove,
  keepCopy,
  mayPull,
  see,
  takeCopy,
  takeFeed,
  takeLock,
  takeSettle,
} from "#schema/domain/cell-move.ts";
import type { Disturbance, MoveOrder, MoveReport } from "#schema/domain/move-message.ts";
import { type Control, call } from "./control.ts";
import { assertionOf, type Member } from "./fleet.ts";

/** Half of a sync's reports; the other half is for what it holds. */
const MAX_SENT = 500;
const EMPTY: Holding = { record: null, mark: null };

/** A cell that obeys control by the functions of schema/domain, over the real sync; what it holds survives its restarts. */
export class MovingCell {
  readonly member: Member;
  readonly id: CellId;
  readonly holdings = new Map<string, Holding>();
  /** Reports that no sync has carried yet. */
  outbox: { vinKey: string; report: MoveReport }[] = [];
  disturbance: Disturbance | null = null;
  isLosingReports = false;
  /** Whether other cells can pull from it. */
  isReachable = true;
  /** Whether it finds another cell alive, when it is asked. */
  reaches: (cell: string) => boolean = () => true;
  cursor: string | null = null;
  ordersCursor = 0;
  last: SyncAnswer | null = null;
  more: readonly unknown[] = [];
  readonly #peers: () => readonly MovingCell[];

  constructor(member: Member, peers: () => readonly MovingCell[]) {
    this.member = member;
    this.id = parseCellId(member.id) as CellId;
    this.#peers = peers;
  }

  at(vinKey: string): Holding {
    return this.holdings.get(vinKey) ?? EMPTY;
  }

  restart(): void {
    this.outbox = [];
    this.ordersCursor = 0;
  }

  /** Reports, learns and obeys, once. The status of the sync. */
  async sync(control: Control): Promise<number> {
    const sent = this.outbox.slice(0, MAX_SENT);
    const moves = sent.map(({ vinKey, report }) => ({ kind: "move", vinKey, report }));
    const held = [...this.holdings]
      .flatMap(([vinKey, holding]) => {
        const step = heldMove(holding);
        return step === null ? [] : [{ kind: "held", vinKey, ...step }];
      })
      .slice(0, MAX_SENT);
    const witness = (this.last?.desired.probe ?? []).map(({ cell }) => ({ cell, isReachable: this.reaches(cell) }));
    const answer = await call(control.app, "POST", `/v1/cells/${this.id}/sync`, {
      token: await assertionOf(control, this.member),
      body: {
        observed: {
          incarnation: 1,
          release: "1.0.0",
          health: "ok",
          witness,
          reports: this.isLosingReports ? [] : [...moves, ...held, ...this.more],
        },
        cursor: this.cursor,
        ordersCursor: this.ordersCursor,
      },
    });
    if (answer.status !== 200) return answer.status;
    this.outbox = this.outbox.slice(sent.length);
    const sync = answer.json as unknown as SyncAnswer;
    this.last = sync;
    for (const { vinKey, cell, epoch } of sync.changes) {
      if (cell === null) continue;
      const holding = this.at(vinKey);
      this.holdings.set(vinKey, { ...holding, record: takeFeed(this.id, holding, { cell, epoch }) });
    }
    this.cursor = sync.cursor;
    for (const { vinKey, order } of sync.orders) this.#obey(control, vinKey, order);
    this.ordersCursor = sync.ordersCursor;
    return 200;
  }

  /** The vehicle connects here as to its owner. */
  admit(vinKey: string): void {
    this.#keep(vinKey, see(this.at(vinKey)));
  }

  #keep(vinKey: string, answer: { readonly report: MoveReport; readonly holding?: Holding } | null): void {
    if (answer === null) return;
    if (answer.holding !== undefined) this.holdings.set(vinKey, answer.holding);
    this.outbox.push({ vinKey, report: answer.report });
  }

  #obey(control: Control, vinKey: string, order: AddressedOrder["order"]): void {
    this.#keep(vinKey, this.#answer(control, vinKey, order as MoveOrder));
  }

  #answer(control: Control, vinKey: string, order: MoveOrder) {
    const holding = this.at(vinKey);
    if (order.kind === "settle") return takeSettle(this.id, holding, order);
    if (order.kind === "lock") {
      const answer = takeLock(holding, order, { disturbance: this.disturbance, nowMs: control.clock.now });
      return answer.kind === "grant" ? grantLock(order, `sum of ${vinKey}`) : answer;
    }
    const answer = takeCopy(holding, order);
    if (answer.kind !== "pull") return answer;
    const source = this.#peers().find(({ id }) => id === order.peer);
    const isGiven = source?.isReachable === true && mayPull(source.at(vinKey), order.moveId, this.id);
    return isGiven ? keepCopy(holding, order, `sum of ${vinKey}`) : failCopy(holding, order);
  }
}
