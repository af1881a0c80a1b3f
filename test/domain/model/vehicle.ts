import { type Admission, type AdmissionFacts, admit, type Credential } from "#schema/domain/admission.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { see } from "#schema/domain/cell-move.ts";
import { advanceCommand } from "#schema/domain/command.ts";
import { isFailedOverFor, welcome } from "#schema/domain/guest.ts";
import { isTableComplete } from "#schema/domain/serving.ts";
import { VIN } from "../admission-facts.ts";
import { factsOf, guestOf, mergeData, serves, settleDown } from "./cells.ts";
import type { Step } from "./checker.ts";
import { send } from "./network.ts";
import type { Rules } from "./rules.ts";
import { type Bounds, CELLS, type Cell, cellOf, peerOf, type World, withCell, withVehicle } from "./world.ts";

const MESSAGE = "telemetry 1";

/** Its device credential, or any ticket that was ever issued, fresh or expired: a cached answer may be of any age. */
const credentials = (world: World): Credential[] => [
  { kind: "device", vin: VIN },
  ...world.control.published.flatMap((ticket): Credential[] =>
    [false, true].map((isExpired) => ({ kind: "ticket", vin: VIN, ...ticket, isFailover: false, isExpired })),
  ),
];

const factsAt = (cell: Cell, self: CellId, credential: Credential): AdmissionFacts => {
  const owner = peerOf(self);
  return {
    self,
    isOverBudget: false,
    claimedVin: VIN,
    credential,
    record: cell.holding.record,
    isTableComplete: isTableComplete(self, factsOf(cell), credential),
    standbyFor: [owner],
    failedOver: isFailedOverFor(owner, cell.peer, guestOf(cell)) ? [owner] : [],
    replicas: cell.replicaEpoch === null ? [] : [owner],
  };
};

const host = (cell: Cell, owner: CellId, credential: Credential): Partial<Cell> => {
  const epoch = credential.kind === "ticket" ? credential.epoch : (cell.replicaEpoch ?? 0);
  const { record, stay } = welcome(owner, cell.peer.term, epoch, guestOf(cell));
  return { holding: { ...cell.holding, record }, stay };
};

/** What the cell has on disk before it answers. */
const learn = (cell: Cell, admission: Admission, credential: Credential): Partial<Cell> => {
  if (admission.learn !== null) return { holding: { ...cell.holding, record: admission.learn } };
  return admission.kind === "admit" && admission.guestOf !== null ? host(cell, admission.guestOf, credential) : {};
};

const connect = (world: World, id: CellId, credential: Credential): World => {
  const cell = cellOf(world, id);
  const admission = admit(factsAt(cell, id, credential));
  const learnt = withCell(world, id, learn(cell, admission, credential));
  if (admission.kind === "refuse") return settleDown(learnt, id);
  const connected = withVehicle(learnt, { at: id });
  if (admission.as === "guest") return connected;
  const { holding } = cellOf(connected, id);
  const epoch = holding.record?.epoch ?? 0;
  const { owners } = world.vehicle;
  const admitted = withVehicle(connected, { owners: { ...owners, [epoch]: [...new Set([...(owners[epoch] ?? []), id])].sort() } });
  const seen = see(holding);
  if (seen === null) return admitted;
  return send(withCell(admitted, id, { holding: seen.holding }), { to: "control", from: id, kind: "report", report: seen.report });
};

const nameOf = (credential: Credential): string => {
  if (credential.kind !== "ticket") return "its device credential";
  return `${credential.isExpired ? "an expired" : "a"} ticket of ${credential.cell} at epoch ${credential.epoch}`;
};

const connectSteps = (world: World): Step<World>[] =>
  CELLS.flatMap((id) =>
    credentials(world).map((credential) => ({
      label: `the vehicle connects to ${id} with ${nameOf(credential)}`,
      next: connect(world, id, credential),
      isFault: false,
    })),
  );

/** The vehicle publishes until it is acknowledged. */
const publish = (world: World, at: CellId, rules: Rules): Step<World>[] => {
  if (world.vehicle.acknowledged.includes(MESSAGE)) return [];
  const cell = cellOf(world, at);
  const stored = rules.isStoredBeforeAcknowledged
    ? { data: mergeData(cell.data, { messages: [MESSAGE], commands: [] }) }
    : { buffer: [MESSAGE] };
  const next = withVehicle(withCell(world, at, stored), { acknowledged: [MESSAGE] });
  return [{ label: `${at} acknowledges ${MESSAGE}`, next, isFault: false }];
};

/** A command goes out as often as it is open and not expired; each time under the id that it has here. */
const deliver = (world: World, at: CellId): Step<World>[] => {
  const { commands } = cellOf(world, at).data;
  if (world.vehicle.isCommandExpired || world.vehicle.incoming !== null) return [];
  return commands.flatMap((command) => {
    const state = command.state === "queued" || command.state === "sent" ? advanceCommand(command.state, "send") : null;
    if (state === null) return [];
    const sent = commands.map((other) => (other.id === command.id ? { ...command, state } : other));
    const stored = withCell(world, at, { data: { ...cellOf(world, at).data, commands: sent } });
    return [{ label: `${at} sends ${command.id}`, next: withVehicle(stored, { incoming: command.id }), isFault: false }];
  });
};

const receive = (world: World, id: string, rules: Rules): World => {
  const { executed, isCommandExpired } = world.vehicle;
  if (rules.refuses(executed, id, isCommandExpired)) return withVehicle(world, { incoming: null });
  return withVehicle(world, { incoming: null, executed: [...executed, id], hasExecutedExpired: isCommandExpired });
};

export const vehicleSteps = (world: World, rules: Rules, bounds: Bounds): Step<World>[] => {
  const { at, incoming, isCommandExpired } = world.vehicle;
  const expire: Step<World>[] =
    bounds.hasCommand && !isCommandExpired
      ? [{ label: "the command expires", next: withVehicle(world, { isCommandExpired: true }), isFault: true }]
      : [];
  if (at === null) return [...connectSteps(world), ...expire];
  return [
    { label: "the vehicle loses its connection", next: withVehicle(world, { at: null, incoming: null }), isFault: true },
    ...(serves(world, at) ? [...publish(world, at, rules), ...deliver(world, at)] : []),
    ...(incoming === null ? [] : [{ label: `the vehicle receives ${incoming}`, next: receive(world, incoming, rules), isFault: false }]),
    ...expire,
  ];
};
