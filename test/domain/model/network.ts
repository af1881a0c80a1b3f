import type { CellId } from "#schema/domain/cell.ts";
import type { FailoverState } from "#schema/domain/failover.ts";
import type { CopyOrder, MoveOrder, MoveReport } from "#schema/domain/move-message.ts";
import { isDead } from "./dead.ts";
import type { Rules } from "./rules.ts";
import type { Data, World } from "./world.ts";

export type ToCell = { readonly to: CellId } & (
  | { readonly kind: "order"; readonly order: MoveOrder }
  /** One line of the assignment feed. */
  | { readonly kind: "feed"; readonly cell: CellId; readonly epoch: number }
  /** Control's account of who serves the vehicles of a cell. */
  | { readonly kind: "account"; readonly of: CellId; readonly failover: FailoverState }
  /** Target and source of a move. */
  | { readonly kind: "pull"; readonly order: CopyOrder }
  | { readonly kind: "bundle"; readonly order: CopyOrder; readonly data: Data }
  /** Owner and standby in a return. */
  | { readonly kind: "take_back"; readonly term: number }
  | { readonly kind: "handed_over"; readonly term: number; readonly data: Data }
  | { readonly kind: "taken_back"; readonly term: number }
);

export type ToControl = { readonly to: "control"; readonly from: CellId } & (
  | { readonly kind: "report"; readonly report: MoveReport }
  /** How many guests of the other cell are left, said in the knowledge of its return in this term. */
  | { readonly kind: "guests"; readonly term: number; readonly guests: number }
);

export type Message = ToCell | ToControl;

export const isForControl = (message: Message): message is ToControl => message.to === "control";

const messages: Message[] = [];
const numbers = new Map<string, number>();

const numberOf = (message: Message): number => {
  const text = JSON.stringify(message);
  const number = numbers.get(text) ?? messages.push(message) - 1;
  numbers.set(text, number);
  return number;
};

/** The world with these messages on their way, for ever. */
export const send = (world: World, ...sent: readonly (Message | null)[]): World => {
  const fresh = sent
    .flatMap((message) => (message === null ? [] : [numberOf(message)]))
    .filter((number) => !world.network.includes(number));
  return fresh.length === 0 ? world : { ...world, network: [...new Set([...world.network, ...fresh])].sort((a, b) => a - b) };
};

/** The world without its dead messages. */
export const forget = (world: World, rules: Rules): World => {
  const network = world.network.filter((number) => {
    const message = messages[number];
    return message !== undefined && !isDead(world, message, rules);
  });
  return network.length === world.network.length ? world : { ...world, network };
};

export const messagesIn = (world: World): Message[] => world.network.flatMap((number) => messages[number] ?? []);

/** A message as a person would write it down: its kind, and what tells it apart. */
export const describe = (message: Message): string => {
  switch (message.kind) {
    case "order":
      return `${message.order.kind} (${message.order.moveId}, step ${message.order.step}, epoch ${message.order.epoch})`;
    case "report":
      return `${message.report.kind} (${message.report.moveId}, step ${message.report.step})`;
    case "feed":
      return `feed (${message.cell} at epoch ${message.epoch})`;
    case "account":
      return `account (${message.of} ${message.failover.phase}, term ${message.failover.term})`;
    case "pull":
    case "bundle":
      return `${message.kind} (${message.order.moveId}, step ${message.order.step})`;
    default:
      return `${message.kind} (term ${message.term})`;
  }
};
