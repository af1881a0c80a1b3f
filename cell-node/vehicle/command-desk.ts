import { CommandResult } from "#schema/api/commands.ts";
import { AppError } from "#schema/api/error.ts";
import { signCommand } from "#schema/crypto/command-token.ts";
import type { SigningKey } from "#schema/crypto/keys.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { advanceCommand, type CommandEvent, isFinal } from "#schema/domain/command.ts";
import type { Logger } from "#schema/http/log.ts";
import type { Vehicle } from "../admission/vehicle.ts";
import type { Clock } from "../clock.ts";
import type { Broker, Session } from "../gateway/broker.ts";
import type { Metrics } from "../metrics.ts";
import type { CommandRow, Store } from "../store/store.ts";
import { createCourier } from "./courier.ts";
import { createOpenCommands } from "./open-commands.ts";
import { type JsonPayload, messageHash, type PayloadFault } from "./payload.ts";
import type { Serving } from "./serving.ts";
import { createWakers } from "./wakers.ts";

export type CommandContext = {
  readonly self: CellId;
  readonly key: SigningKey;
  readonly store: Store;
  readonly clock: Clock;
  readonly broker: () => Broker;
  readonly serving: Serving;
  readonly metrics: Metrics;
  readonly logger: Logger;
};

export type NewCommand = {
  readonly id: string;
  readonly type: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly expiresInSeconds: number;
  /** Higher goes first among those that wait for the vehicle. */
  readonly priority: number;
  readonly requestedBy: string;
  readonly idempotencyKey: string;
  readonly bodyHash: string;
};

export type ReportedResult = { readonly session: Session; readonly id: string; readonly receivedAt: number; readonly json: JsonPayload };

/** Commands from their order to their end. Open ones are held in memory too; each state is on disk before it is told to anyone. */
export type CommandDesk = {
  /** Stores a signed command, then sends it if the vehicle listens. */
  create(vehicle: Vehicle, command: NewCommand): Promise<CommandRow>;
  /** How many commands of the vehicle are not final. */
  openFor(vehicle: Vehicle): number;
  find(vehicle: Vehicle, id: string): Promise<CommandRow | null>;
  /** The command when it is final, or as it is after `waitMs`. */
  waitFor(row: CommandRow, waitMs: number): Promise<CommandRow>;
  /** The command now and at every change until it is final or nobody watches. */
  watch(row: CommandRow, signal: AbortSignal): AsyncIterable<CommandRow>;
  /** Ends a command that no vehicle has been given; null when it is too late for that. */
  cancel(vehicle: Vehicle, row: CommandRow): Promise<CommandRow | null>;
  /** Sends what waits for a vehicle that listens now. */
  deliverTo(session: Session): Promise<void>;
  /** Stores what a vehicle reports, for commands of its own only. */
  takeResult(report: ReportedResult): Promise<PayloadFault | undefined>;
  /** Whether a command is on its way to the vehicle, or being executed. */
  isInFlight(vehicle: Vehicle): boolean;
  /** The commands of a vehicle that came from another cell, signed by this one. */
  signAgain(vehicle: Pick<Vehicle, "vin">, row: CommandRow): Promise<CommandRow>;
  /** Stored commands that are this cell's to carry out from now on. */
  adopt(rows: readonly CommandRow[]): void;
  /** Lets go of the vehicle's commands; what is stored stays. */
  release(vehicle: number): void;
  /** Ends what has expired and sends what still waits for a connected vehicle. */
  sweep(): Promise<void>;
};

/** A vehicle that has accepted a command may report its end for this long after the expiry. */
const ACCEPTED_GRACE_MS = 3_600_000;

const deadlineOf = (row: CommandRow): number => row.expiresAt + (row.state === "accepted" ? ACCEPTED_GRACE_MS : 0);

const changesOf = ({ id }: CommandRow): string => `changes of ${id}`;
/** A watcher looks again after so long, whatever it has heard. */
const WATCH_MS = 15_000;

const uplinkOf = ({ session, id, receivedAt, json }: ReportedResult) => ({
  vehicle: session.vehicle,
  id: messageHash(session.vin, `${id}\n${json.text}`),
  receivedAt,
  payload: json.text,
});

export const createCommandDesk = async (context: CommandContext): Promise<CommandDesk> => {
  const { self, key, store, clock, metrics, serving } = context;
  const open = createOpenCommands(await store.openCommands());
  const unsettled = new Map<string, Promise<unknown>>();
  const wakers = createWakers();

  /** Memory first, so that events of one command apply in order; taken back when the disk refuses. */
  const advance = async (row: CommandRow, event: CommandEvent, result: string | null, report?: ReportedResult): Promise<void> => {
    const state = advanceCommand(row.state, event) ?? row.state;
    const next = { ...row, state, result: result ?? row.result, updatedAt: clock.nowMs() };
    const saved = store.save({ commandStates: [next], ...(report && { uplinks: [["command-result", uplinkOf(report)]] }) });
    open.put(next);
    unsettled.set(row.id, saved);
    try {
      await saved;
    } catch (error) {
      if (open.get(row.id) === next) open.put(row);
      throw error;
    } finally {
      if (unsettled.get(row.id) === saved) unsettled.delete(row.id);
    }
    if (state !== row.state) metrics.commands.inc({ state });
    wakers.wake(changesOf(row));
    if (!isFinal(state)) return;
    open.remove(row);
    courier.forget(row);
    wakers.wake(row.id);
  };

  const courier = createCourier({
    ...context,
    current: ({ id }) => open.get(id),
    async onSent({ id }) {
      const row = open.get(id);
      if (row?.state === "queued") await advance(row, "send", null);
    },
  });

  const storeNew = async (vehicle: Vehicle, command: NewCommand): Promise<CommandRow> => {
    const createdAt = clock.nowMs();
    const iat = Math.floor(createdAt / 1000);
    const exp = iat + command.expiresInSeconds;
    const { id, type, requestedBy, idempotencyKey, bodyHash } = command;
    const token = await signCommand(key, { cell: self, vin: vehicle.vin, id, type, arguments: command.arguments, iat, exp });
    const row: CommandRow = {
      ...{ id, vehicle: vehicle.number, type, arguments: JSON.stringify(command.arguments), state: "queued", result: null },
      ...{ createdAt, expiresAt: exp * 1000, updatedAt: createdAt, requestedBy, token, idempotencyKey, bodyHash },
      priority: command.priority,
    };
    await store.save({ commands: [row] });
    open.put(row);
    return row;
  };

  /** The command as it is on disk. */
  const settled = async (vehicle: number, id: string): Promise<CommandRow | null> => {
    await unsettled.get(id)?.catch(() => undefined);
    const row = open.get(id);
    return row?.vehicle === vehicle ? row : store.commandById(vehicle, id);
  };

  return {
    openFor: ({ number }) => open.of(number).length,
    find: ({ number }, id) => settled(number, id),
    async create(vehicle, command) {
      const row = await serving.ifServed(vehicle.number, () => storeNew(vehicle, command));
      if (row === null) throw new AppError("busy", "the vehicle is being moved");
      metrics.commands.inc({ state: "queued" });
      const session = context.broker().sessionOf(vehicle.vinKey);
      if (session !== undefined) void courier.deliver(session, open.of(vehicle.number));
      return row;
    },
    async waitFor(row, waitMs) {
      if (waitMs > 0 && open.get(row.id) !== undefined) await wakers.wait(row.id, waitMs);
      return (await settled(row.vehicle, row.id)) ?? row;
    },
    async *watch(row, signal) {
      const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      for (let known: CommandRow | null = null; !signal.aborted; ) {
        const change = wakers.wait(changesOf(row), WATCH_MS);
        const now = (await settled(row.vehicle, row.id)) ?? row;
        if (now.updatedAt !== known?.updatedAt || now.state !== known.state || now.result !== known.result) yield now;
        known = now;
        if (isFinal(now.state)) return;
        await Promise.race([change, aborted]);
      }
    },
    async cancel({ number }, { id }) {
      const cancelled = serving.ifServed(number, async () => {
        const row = open.get(id);
        if (row === undefined || courier.isHanded(row) || advanceCommand(row.state, "cancel") === null) return null;
        await advance(row, "cancel", null);
        return settled(number, id);
      });
      if (cancelled === null) throw new AppError("busy", "the vehicle is being moved");
      return cancelled;
    },
    deliverTo: (session) => courier.deliver(session, open.of(session.vehicle)),
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
      return store.save({ uplinks: [["command-result", uplinkOf(report)]] });
    },
    isInFlight: ({ number }) => open.of(number).some(({ state }) => state !== "queued"),
    async signAgain({ vin }, row) {
      const [iat, exp] = [Math.floor(row.createdAt / 1000), row.expiresAt / 1000];
      const args = JSON.parse(row.arguments) as Record<string, unknown>;
      return { ...row, token: await signCommand(key, { cell: self, vin, id: row.id, type: row.type, arguments: args, iat, exp }) };
    },
    adopt(rows) {
      for (const row of rows) if (!isFinal(row.state)) open.put(row);
    },
    release(vehicle) {
      for (const row of open.of(vehicle)) {
        open.remove(row);
        courier.forget(row);
        wakers.wake(changesOf(row));
        wakers.wake(row.id);
      }
    },
    async sweep() {
      const nowMs = clock.nowMs();
      const rows = [...open.all()];
      await Promise.all(
        rows.filter((row) => deadlineOf(row) <= nowMs).map((row) => serving.unlessHeld(row.vehicle, () => advance(row, "expire", null))),
      );
      const behind = new Set(rows.filter(courier.isBehind).map(({ vehicle }) => vehicle));
      const sessions = behind.size === 0 ? [] : context.broker().sessions();
      for (const session of sessions) if (behind.has(session.vehicle)) await courier.deliver(session, open.of(session.vehicle));
    },
  };
};
