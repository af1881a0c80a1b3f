import type { CellId } from "#schema/domain/cell.ts";
import type { Holding } from "#schema/domain/cell-move.ts";
import { type FailoverState, NEVER_FAILED_OVER } from "#schema/domain/failover.ts";
import type { Stay } from "#schema/domain/guest.ts";
import type { CommandCopy } from "#schema/domain/merge.ts";
import type { Move, Truth } from "#schema/domain/move.ts";
import { FIRST_STANDING, type Standing } from "#schema/domain/standing.ts";
import { cell } from "../samples.ts";

export const A = cell("cell-a");
export const B = cell("cell-b");
export const CELLS = [A, B] as const;
export const peerOf = (id: CellId): CellId => (id === A ? B : A);

/** What a cell stores of the vehicle: the messages that it may acknowledge, and the commands of its owner. */
export type Data = { readonly messages: readonly string[]; readonly commands: readonly CommandCopy[] };

/** Control: everything in its database. It crashes harmlessly: each step is one transaction, and an answer that is lost is a message never delivered. */
export type Control = {
  readonly truth: Truth;
  /** Every assignment that was ever published: a stale KV, an old ticket or a cached answer is any of them. */
  readonly published: readonly Truth[];
  readonly move: Move | null;
  readonly failovers: Readonly<Record<string, FailoverState>>;
  readonly movesLeft: number;
  readonly raisesLeft: number;
};

/** A cell. The mode of its standing and `buffer` are lost in a crash; all else is on disk. */
export type Cell = {
  readonly standing: Standing;
  /** The last term whose guest data it has merged as the owner. */
  readonly homeTerm: number;
  readonly holding: Holding;
  readonly stay: Stay | null;
  /** What it knows of the other cell, whose standby it is. */
  readonly peer: FailoverState;
  readonly data: Data;
  /** The epoch at which the other cell's replica lists the vehicle here; null when it does not. */
  readonly replicaEpoch: number | null;
  /** Acknowledged but not stored: only a bug puts anything here. */
  readonly buffer: readonly string[];
};

/** The vehicle: one connection, a memory of command ids, and what it has seen acknowledged. */
export type Vehicle = {
  readonly at: CellId | null;
  /** A command on the wire of the present connection. */
  readonly incoming: string | null;
  readonly acknowledged: readonly string[];
  readonly executed: readonly string[];
  readonly isCommandExpired: boolean;
  readonly hasExecutedExpired: boolean;
  /** Which cell has admitted it as its owner at each epoch. */
  readonly owners: Readonly<Record<number, readonly CellId[]>>;
};

/** Messages that were ever sent, by number. Delivery takes none away: a late, repeated, reordered or lost message is one delivered then, again, or never. */
export type Network = readonly number[];

export type World = {
  readonly control: Control;
  readonly vehicle: Vehicle;
  readonly network: Network;
  readonly "cell-a": Cell;
  readonly "cell-b": Cell;
};

export const cellOf = (world: World, id: CellId): Cell => world[id === A ? "cell-a" : "cell-b"];
export const withCell = (world: World, id: CellId, change: Partial<Cell>): World => ({
  ...world,
  [id]: { ...cellOf(world, id), ...change },
});
export const withControl = (world: World, change: Partial<Control>): World => ({ ...world, control: { ...world.control, ...change } });
export const withVehicle = (world: World, change: Partial<Vehicle>): World => ({ ...world, vehicle: { ...world.vehicle, ...change } });

export const failoverOf = (world: World, id: CellId): FailoverState => world.control.failovers[id] ?? NEVER_FAILED_OVER;

/** How much the adversary may do; within these bounds it may do it at any moment. */
export type Bounds = {
  readonly moves: number;
  /** New epochs for the same owner, as after a restore of control. */
  readonly raises: number;
  readonly failovers: number;
  /** Whether cells stand still and thaw, and serve alone when control is silent. */
  readonly hasPauses: boolean;
  readonly hasCommand: boolean;
  /** Whether vehicles are busy past the deadline, copies are spoilt on their way, and operators abort. */
  readonly hasMishaps: boolean;
  /** Whether the owner streams what it holds to its standby; else the standby's replica stays as it was at the start. */
  readonly hasReplication: boolean;
};

const COMMAND: CommandCopy = { id: "unlock", state: "queued", updatedAt: 0, detail: "" };

const cellAtStart = (more: Partial<Cell>): Cell => ({
  standing: { ...FIRST_STANDING, mode: "told" },
  homeTerm: 0,
  holding: { record: null, mark: null },
  stay: null,
  peer: NEVER_FAILED_OVER,
  data: { messages: [], commands: [] },
  replicaEpoch: null,
  buffer: [],
  ...more,
});

/** A owns the vehicle at epoch 1 with one command waiting; B is its standby and has a replica. */
export const worldAtStart = (bounds: Bounds): World => {
  const data = { messages: [], commands: bounds.hasCommand ? [COMMAND] : [] };
  const truth = { cell: A, epoch: 1 };
  return {
    control: {
      truth,
      published: [truth],
      move: null,
      failovers: { [A]: NEVER_FAILED_OVER, [B]: NEVER_FAILED_OVER },
      movesLeft: bounds.moves,
      raisesLeft: bounds.raises,
    },
    vehicle: {
      at: null,
      incoming: null,
      acknowledged: [],
      executed: [],
      isCommandExpired: false,
      hasExecutedExpired: false,
      owners: {},
    },
    network: [],
    "cell-a": cellAtStart({ holding: { record: { state: "owned", epoch: 1 }, mark: null }, data }),
    "cell-b": cellAtStart({ replicaEpoch: 1, data: bounds.failovers > 0 ? data : { messages: [], commands: [] } }),
  };
};
