import { CommandResult } from "#schema/api/commands.ts";
import { signCommand } from "#schema/crypto/command-token.ts";
import type { SigningKey } from "#schema/crypto/keys.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { advanceCommand, type CommandEvent, isFinal } from "#schema/domain/command.ts";
import { resultTopicOf, topicOf } from "#schema/domain/topic.ts";
import type { Logger } from "#schema/http/log.ts";
import type { Vehicle } from "../admission/vehicle.ts";
import type { Clock } from "../clock.ts";
import type { Broker, Session } from "../gateway/broker.ts";
import type { Metrics } from "../metrics.ts";
import type { CommandRow, Store } from "../store/store.ts";
import { type JsonPayload, messageHash, type PayloadFault } from "./payload.ts";

export type CommandContext = {
  readonly self: CellId;
  readonly key: SigningKey;
  readonly store: Store;
  readonly clock: Clock;
  readonly broker: () => Broker;
  readonly metrics: Metrics;
  readonly logger: Logger;
};

export type NewCommand = {
  readonly id: string;
  readonly type: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly expiresInSeconds: number;
  readonly requestedBy: string;
  readonly idempotencyKey: string;
  readonly bodyHash: string;
};

export type ReportedResult = { readonly session: Session; readonly id: string; readonly receivedAt: number; readonly json: JsonPayload };

/** Commands from their order to their end. Open ones are held in memory too; each state is on disk before it is told to anyone. */
export type CommandDesk = {
  /** Stores a signed command, then sends it if the vehicle listens. */
  create(vehicle: Vehicle, command: NewCommand): Promise<CommandRow>;
  find(vehicle: Vehicle, id: string): Promise<CommandRow | null>;
  /** The command when it is final, or as it is after `waitMs`. */
  waitFor(row: CommandRow, waitMs: number): Promise<CommandRow>;
  /** Sends what waits for a vehicle that listens now, oldest first, under the same ids, nothing after its expiry. */
  deliverTo(session: Session): Promise<void>;
  /** Stores what a vehicle reports, for commands of its own only. */
  takeResult(report: ReportedResult): Promise<PayloadFault | undefined>;
  /** Ends what has expired. */
  expire(): Promise<void>;
};

/** A vehicle that has accepted a command may report its end for this long after the expiry. */
const ACCEPTED_GRACE_MS = 3_600_000;

const deadlineOf = (row: CommandRow): number => row.expiresAt + (row.state === "accepted" ? ACCEPTED_GRACE_MS : 0);

export const createCommandDesk = async (context: CommandContext): Promise<CommandDesk> => {
  const { self, key, store, clock, metrics, logger } = context;
  const open = new Map((await store.openCommands()).map((row) => [row.id, row]));
  const waiting = new Map<string, Set<() => void>>();
  /** On which connection each open command went out last: once is enough there, QoS 1 sees to the rest. */
  const handedTo = new Map<string, Session>();

  /** Memory first, so that events of one command apply in order; taken back when the disk refuses. */
  const advance = async (row: CommandRow, event: CommandEvent, result: string | null, report?: ReportedResult): Promise<void> => {
    const state = advanceCommand(row.state, event) ?? row.state;
    const next = { ...row, state, result: result ?? row.result, updatedAt: clock.nowMs() };
    open.set(row.id, next);
    try {
      await store.save({ commandStates: [next], ...(report && { uplinks: [["command-result", uplinkOf(report)]] }) });
    } catch (error) {
      if (open.get(row.id) === next) open.set(row.id, row);
      throw error;
    }
    if (state !== row.state) metrics.commands.inc({ state });
    if (!isFinal(state)) return;
    open.delete(row.id);
    handedTo.delete(row.id);
    for (const wake of waiting.get(row.id) ?? []) wake();
  };

  const uplinkOf = ({ session, id, receivedAt, json }: ReportedResult) => ({
    vehicle: session.vehicle,
    id: messageHash(session.vin, `${id}\n${json.text}`),
    receivedAt,
    payload: json.text,
  });

  const send = async (session: Session, row: CommandRow): Promise<void> => {
    const isDue = (row.state === "queued" || row.state === "sent") && row.expiresAt > clock.nowMs();
    if (!isDue || handedTo.get(row.id) === session) return;
    handedTo.set(row.id, session);
    const isSent = await context.broker().deliver(session, {
      topic: topicOf(session.vin, "commands"),
      payload: row.token,
      contentType: "application/jose",
      responseTopic: resultTopicOf(session.vin, row.id),
      correlationData: row.id,
      expiresAt: row.expiresAt,
    });
    if (!isSent && handedTo.get(row.id) === session) handedTo.delete(row.id);
    const current = open.get(row.id);
    if (isSent && current?.state === "queued") await advance(current, "send", null);
  };

  const sendInOrder = async (session: Session, rows: readonly CommandRow[]): Promise<void> => {
    try {
      for (const row of rows) await send(session, row);
    } catch (error) {
      logger.error("a command could not be sent", { vinKey: session.vinKey, error });
    }
  };

  const openOf = (vehicle: number): CommandRow[] => [...open.values()].filter((row) => row.vehicle === vehicle);

  const find: CommandDesk["find"] = async ({ number }, id) => {
    const row = open.get(id);
    return row?.vehicle === number ? row : store.commandById(number, id);
  };

  return {
    find,
    async create(vehicle, command) {
      const createdAt = clock.nowMs();
      const iat = Math.floor(createdAt / 1000);
      const exp = iat + command.expiresInSeconds;
      const { id, type, requestedBy, idempotencyKey, bodyHash } = command;
      const token = await signCommand(key, { cell: self, vin: vehicle.vin, id, type, arguments: command.arguments, iat, exp });
      const row: CommandRow = {
        ...{ id, vehicle: vehicle.number, type, arguments: JSON.stringify(command.arguments), state: "queued", result: null },
        ...{ createdAt, expiresAt: exp * 1000, updatedAt: createdAt, requestedBy, token, idempotencyKey, bodyHash },
      };
      await store.save({ commands: [row] });
      open.set(id, row);
      metrics.commands.inc({ state: "queued" });
      const session = context.broker().sessionOf(vehicle.vinKey);
      if (session !== undefined) void sendInOrder(session, [row]);
      return row;
    },
    async waitFor(row, waitMs) {
      if (waitMs > 0 && open.has(row.id)) {
        const wakers = waiting.get(row.id) ?? new Set();
        waiting.set(row.id, wakers);
        const { promise, resolve } = Promise.withResolvers<void>();
        const timer = setTimeout(resolve, waitMs);
        wakers.add(resolve);
        await promise;
        clearTimeout(timer);
        wakers.delete(resolve);
        if (wakers.size === 0) waiting.delete(row.id);
      }
      return open.get(row.id) ?? (await store.commandById(row.vehicle, row.id)) ?? row;
    },
    deliverTo: (session) => sendInOrder(session, openOf(session.vehicle)),
    async takeResult(report) {
      const result = CommandResult.safeParse(report.json.value);
      if (!result.success) return { kind: "invalid", reason: "the payload is not a command result" };
      const row = open.get(report.id);
      if (row?.vehicle === report.session.vehicle) {
        const detail = result.data.detail === undefined ? null : JSON.stringify(result.data.detail);
        await advance(row, result.data.state, detail, report);
        return undefined;
      }
      if ((await store.commandById(report.session.vehicle, report.id)) === null) return { kind: "invalid", reason: "no such command" };
      await store.save({ uplinks: [["command-result", uplinkOf(report)]] });
      return undefined;
    },
    async expire() {
      const nowMs = clock.nowMs();
      await Promise.all([...open.values()].filter((row) => deadlineOf(row) <= nowMs).map((row) => advance(row, "expire", null)));
    },
  };
};
