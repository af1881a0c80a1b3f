export const COMMAND_STATES = ["queued", "sent", "accepted", "succeeded", "failed", "expired", "cancelled"] as const;
export type CommandState = (typeof COMMAND_STATES)[number];

/** What a vehicle may say about a command. `progress` changes no state. */
export const COMMAND_REPORTS = ["accepted", "progress", "succeeded", "failed"] as const;
export type CommandReport = (typeof COMMAND_REPORTS)[number];

export const COMMAND_EVENTS = ["send", ...COMMAND_REPORTS, "expire", "cancel"] as const;
export type CommandEvent = (typeof COMMAND_EVENTS)[number];

const received = { accepted: "accepted", progress: "accepted", succeeded: "succeeded", failed: "failed", expire: "expired" } as const;

/** queued -> sent -> accepted -> succeeded | failed, -> expired, -> cancelled. What the vehicle says may overtake "sent" and "accepted". */
const TRANSITIONS: Readonly<Record<CommandState, Partial<Record<CommandEvent, CommandState>>>> = {
  queued: { send: "sent", ...received, cancel: "cancelled" },
  sent: { send: "sent", ...received },
  accepted: { progress: "accepted", succeeded: "succeeded", failed: "failed", expire: "expired" },
  succeeded: {},
  failed: {},
  expired: {},
  cancelled: {},
};

/** The state after an event, or null when the table does not allow it. */
export const advanceCommand = (state: CommandState, event: CommandEvent): CommandState | null => TRANSITIONS[state][event] ?? null;

/** Whether nothing can change any more. */
export const isFinal = (state: CommandState): boolean => Object.keys(TRANSITIONS[state]).length === 0;

export const OWNER_ROLES = ["owner", "driver", "fleet", "service"] as const;
export type OwnerRole = (typeof OWNER_ROLES)[number];
