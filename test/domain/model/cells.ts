import type { VehicleRecord } from "#schema/domain/admission.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { failCopy, grantLock, keepCopy, mayPull, type Obeyed, takeCopy, takeLock, takeSettle } from "#schema/domain/cell-move.ts";
import { laterFailover } from "#schema/domain/failover.ts";
import { bidFarewell, type Guest, handOver, isStaying } from "#schema/domain/guest.ts";
import { hash53 } from "#schema/domain/hash.ts";
import { mergeCommands } from "#schema/domain/merge.ts";
import type { CopyOrder, MoveOrder, MoveReport } from "#schema/domain/move-message.ts";
import { mayServe, type ServiceFacts } from "#schema/domain/serving.ts";
import { advanceStanding } from "#schema/domain/standing.ts";
import type { Step } from "./checker.ts";
import { type Message, send, type ToCell } from "./network.ts";
import type { Rules } from "./rules.ts";
import { type Bounds, CELLS, type Cell, cellOf, type Data, peerOf, type World, withCell, withVehicle } from "./world.ts";

export const mergeData = (a: Data, b: Data): Data => ({
  messages: [...new Set([...a.messages, ...b.messages])].sort(),
  commands: mergeCommands(a.commands, b.commands),
});

const checksumOf = (data: Data): string => String(hash53(JSON.stringify(data)));
export const guestOf = ({ holding, stay }: Cell): Guest => ({ record: holding.record, stay });

export const factsOf = (cell: Cell): ServiceFacts => ({
  standing: cell.standing,
  homeTerm: cell.homeTerm,
  guest: guestOf(cell),
  failoverOf: () => cell.peer,
});

export const serves = (world: World, id: CellId): boolean => mayServe(factsOf(cellOf(world, id)));

/** Whether a session may stay, if only to wait: through a lock, a hand-over, or while the cell asks control. */
const keepsSession = (world: World, id: CellId): boolean => {
  const cell = cellOf(world, id);
  const { record } = cell.holding;
  if (record?.state === "locked" || (record?.state === "owned" && cell.standing.mode === "asking")) return true;
  if (record?.state === "guest") return !record.isReturned && cell.peer.phase !== "serving" && cell.stay?.term === cell.peer.term;
  return serves(world, id);
};

const dropSession = (world: World, id: CellId): World =>
  world.vehicle.at === id ? withVehicle(world, { at: null, incoming: null }) : world;

/** What follows from every change at a cell: a session that it may not keep ends, and what it owes to others is said. */
export const settleDown = (world: World, id: CellId): World => {
  const cell = cellOf(world, id);
  const { mode, failover } = cell.standing;
  const isHomeless = mode === "told" && failover.phase === "returning" && cell.homeTerm < failover.term;
  const isEmpty = cell.peer.phase === "returning" && !isStaying(peerOf(id), guestOf(cell));
  return send(
    keepsSession(world, id) ? world : dropSession(world, id),
    isHomeless ? { to: peerOf(id), kind: "take_back", term: failover.term } : null,
    isEmpty ? { to: "control", from: id, kind: "guests", term: cell.peer.term, guests: 0 } : null,
  );
};

const change = (world: World, id: CellId, changed: Partial<Cell>): World => settleDown(withCell(world, id, changed), id);
const withRecord = ({ holding }: Cell, record: VehicleRecord | null): Pick<Cell, "holding"> => ({
  holding: record === holding.record ? holding : { ...holding, record },
});
const reply = (from: CellId, report: MoveReport): Message => ({ to: "control", from, kind: "report", report });
const obey = (world: World, id: CellId, { holding, report }: Obeyed): World => send(change(world, id, { holding }), reply(id, report));

/** An order of control; a lock finds the vehicle quiet, or busy until after the deadline. */
const takeOrder = (world: World, id: CellId, order: MoveOrder, bounds: Bounds): World[] => {
  const { holding, data } = cellOf(world, id);
  switch (order.kind) {
    case "settle": {
      const answer = takeSettle(id, holding, order);
      return answer === null ? [] : [obey(world, id, answer)];
    }
    case "copy": {
      const answer = takeCopy(holding, order);
      if (answer.kind === "obeyed") return [obey(world, id, answer)];
      return [send(world, answer.kind === "pull" ? { to: order.peer, kind: "pull", order } : reply(id, answer.report))];
    }
    case "lock":
      return (bounds.hasMishaps ? ([null, "drive"] as const) : [null]).map((disturbance) => {
        const answer = takeLock(holding, order, { disturbance, nowMs: order.deadlineAt + 1 });
        if (answer.kind === "grant") return obey(world, id, grantLock(order, checksumOf(data)));
        return answer.kind === "obeyed" ? obey(world, id, answer) : send(world, reply(id, answer.report));
      });
  }
};

/** The copy arrives whole, or spoilt on its way. */
const takeBundle = (world: World, id: CellId, order: CopyOrder, bundle: Data, rules: Rules, bounds: Bounds): World[] => {
  const { holding, data } = cellOf(world, id);
  const store = (checksum: string, copy: Data): World => {
    const answer = keepCopy(holding, order, checksum);
    const isNew = answer.kind === "obeyed" && answer.holding !== holding;
    const signed = { ...copy, commands: copy.commands.map((command) => ({ ...command, id: rules.signAgain(command.id) })) };
    const stored = isNew ? withCell(world, id, { data: mergeData(data, signed) }) : world;
    return answer.kind === "obeyed" ? obey(stored, id, answer) : send(world, reply(id, answer.report));
  };
  const whole = store(checksumOf(bundle), bundle);
  return bounds.hasMishaps ? [whole, store("spoilt", { ...bundle, messages: [] })] : [whole];
};

/** A cell takes a message; each result is one way it may go. */
export const takeAtCell = (world: World, message: ToCell, rules: Rules, bounds: Bounds): World[] => {
  const { to } = message;
  const cell = cellOf(world, to);
  switch (message.kind) {
    case "order":
      return takeOrder(world, to, message.order, bounds);
    case "feed":
      return [change(world, to, withRecord(cell, rules.takeFeed(to, cell.holding, message)))];
    case "account":
      if (message.of !== to) return [change(world, to, { peer: laterFailover(cell.peer, message.failover) })];
      return [change(world, to, { standing: advanceStanding(cell.standing, { kind: "answered", failover: message.failover }) })];
    case "pull":
      return mayPull(cell.holding, message.order.moveId, peerOf(to))
        ? [send(world, { to: peerOf(to), kind: "bundle", order: message.order, data: cell.data })]
        : [send(world, reply(peerOf(to), failCopy(cellOf(world, peerOf(to)).holding, message.order).report))];
    case "bundle":
      return takeBundle(world, to, message.order, message.data, rules, bounds);
    case "take_back": {
      const peer = laterFailover(cell.peer, { phase: "returning", term: message.term, standby: to });
      const guest = handOver(peerOf(to), peer, message.term, guestOf(cell));
      const heard = change(world, to, { peer, ...(guest && { ...withRecord(cell, guest.record), stay: guest.stay }) });
      return [guest === null ? heard : send(heard, { to: peerOf(to), kind: "handed_over", term: message.term, data: cell.data })];
    }
    case "handed_over": {
      const home = { data: mergeData(cell.data, message.data), homeTerm: Math.max(cell.homeTerm, message.term) };
      return [send(change(world, to, home), { to: peerOf(to), kind: "taken_back", term: message.term })];
    }
    case "taken_back": {
      const { record, stay } = bidFarewell(guestOf(cell), message.term);
      return [change(world, to, { ...withRecord(cell, record), stay })];
    }
  }
};

/** What a cell finds when it starts again: its disk. To be down is to take no step, so a crash and the start after it are one step. */
const restarted = (cell: Cell, bounds: Bounds): Partial<Cell> => ({
  standing: bounds.hasPauses ? advanceStanding(cell.standing, { kind: "woke" }) : cell.standing,
  buffer: [],
});

/** Control's answer to a cell that asks: the account of this moment, or one that was long on its way. */
const ask = (world: World, id: CellId): World => {
  const failover = world.control.failovers[id];
  return failover === undefined ? world : send(world, { to: id, kind: "account", of: id, failover });
};

/** The owner streams what it holds to its standby, now and then. */
const replicate = (world: World, id: CellId): World[] => {
  const [own, other] = [cellOf(world, id), cellOf(world, peerOf(id))];
  const { record } = own.holding;
  const isOwner = record?.state === "owned" && serves(world, id);
  if (!isOwner || other.holding.record?.state === "locked" || other.holding.record?.state === "copied") return [];
  return [withCell(world, peerOf(id), { data: mergeData(other.data, own.data), replicaEpoch: record.epoch })];
};

/** What happens to a cell, or what it does, without being told. */
export const cellSteps = (world: World, rules: Rules, bounds: Bounds): Step<World>[] =>
  CELLS.flatMap((id): Step<World>[] => {
    const cell = cellOf(world, id);
    const { record } = cell.holding;
    const timed = record === null ? null : rules.onTimer(record);
    const woken = advanceStanding(cell.standing, { kind: "woke" });
    const alone = advanceStanding(cell.standing, { kind: "silence" });
    return [
      { label: `${id} is killed and starts again`, next: dropSession(withCell(world, id, restarted(cell, bounds)), id), isFault: true },
      ...(cell.standing.mode !== "told" ? [{ label: `${id} asks control`, next: ask(world, id), isFault: false }] : []),
      ...(bounds.hasPauses
        ? [{ label: `${id} thaws after standing still`, next: change(world, id, { standing: woken }), isFault: true }]
        : []),
      ...(bounds.hasPauses
        ? [{ label: `${id} hears nothing of control`, next: change(world, id, { standing: alone }), isFault: true }]
        : []),
      ...(bounds.hasReplication ? replicate(world, id).map((next) => ({ label: `${id} replicates`, next, isFault: false })) : []),
      ...(timed === record
        ? []
        : [
            { label: `a timer of ${id} runs out`, next: change(world, id, { holding: { ...cell.holding, record: timed } }), isFault: true },
          ]),
      ...cell.buffer.map((message) => ({
        label: `${id} stores ${message}`,
        next: change(world, id, { buffer: [], data: mergeData(cell.data, { messages: [message], commands: [] }) }),
        isFault: false,
      })),
    ];
  });
