import type { Brand } from "./brand.ts";

/** A cell's name: lower-case letters, digits and hyphens, 2 to 32 characters, a letter first. */
export type CellId = Brand<string, "CellId">;

/** Reads a cell id from outside; null when it is none. */
export const parseCellId = (input: unknown): CellId | null =>
  typeof input === "string" && /^[a-z][a-z0-9-]{1,31}$/.test(input) ? (input as CellId) : null;

export const CELL_STATES = ["joining", "active", "draining", "drained", "retired"] as const;
/** What operators want of a cell. */
export type CellState = (typeof CELL_STATES)[number];

export const CELL_HEALTHS = ["healthy", "suspect", "isolated", "down"] as const;
/** What control has observed of a cell. */
export type CellHealth = (typeof CELL_HEALTHS)[number];

/** Where a cell is reached. `mqtt` is `mqtts://` outside the lab; `mqttWs` is null where the cell has no WebSocket listener. */
export type Endpoints = { readonly mqtt: string; readonly mqttWs: string | null; readonly https: string };

export const CELL_EVENTS = ["approve", "drain", "undrain", "emptied", "retire"] as const;
export type CellEvent = (typeof CELL_EVENTS)[number];

/** joining -> active <-> draining -> drained -> retired; a row names what each state allows. */
const TRANSITIONS: Readonly<Record<CellState, Partial<Record<CellEvent, CellState>>>> = {
  joining: { approve: "active", retire: "retired" },
  active: { drain: "draining" },
  draining: { undrain: "active", emptied: "drained" },
  drained: { undrain: "active", retire: "retired" },
  retired: {},
};

/** The state after an event, or null when the table does not allow it. */
export const advanceCell = (state: CellState, event: CellEvent): CellState | null => TRANSITIONS[state][event] ?? null;

/** Whether a cell in this state serves the vehicles it owns. */
export const takesTraffic = (state: CellState): boolean => state === "active" || state === "draining";
