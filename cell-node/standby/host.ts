import { type ReturnAnswer, type ReturnRequest, VehicleReplica } from "#schema/api/standby.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { bidFarewell, handOver, isStaying } from "#schema/domain/guest.ts";
import { isVin, parseVin } from "#schema/domain/vin.ts";
import type { Failovers } from "../admission/failovers.ts";
import type { Vehicle } from "../admission/vehicle.ts";
import type { VehicleTable } from "../admission/vehicle-table.ts";
import type { Clock } from "../clock.ts";
import type { Broker } from "../gateway/broker.ts";
import type { Store } from "../store/store.ts";
import type { CellTwins } from "../twin/start-twins.ts";
import { readTwin, twinChanges } from "../twin/twin-bundle.ts";
import type { CommandDesk } from "../vehicle/command-desk.ts";
import type { Serving } from "../vehicle/serving.ts";
import { mergeHere, recentCommands } from "./guest-commands.ts";
import { mergeTwins } from "./merge-twins.ts";
import type { Stays } from "./stays.ts";

export type HostContext = {
  readonly table: VehicleTable;
  readonly failovers: Failovers;
  readonly stays: Stays;
  readonly serving: Serving;
  readonly store: Store;
  readonly commands: CommandDesk;
  readonly twins: CellTwins;
  readonly broker: () => Broker;
  readonly clock: Clock;
  readonly dismiss: (vehicle: Vehicle) => void;
};

/** The standby towards its guests, from their welcome to their farewell. */
export type Host = {
  /** Takes up what the owner had replicated of a guest that has come. */
  welcome(vehicle: Vehicle): Promise<void>;
  /** Stops serving these guests and gives what it has of them; null: not in this term's return. */
  giveBack(owner: CellId, request: ReturnRequest): Promise<ReturnAnswer | null>;
  /** The owner has stored what it was given. */
  seeOff(owner: CellId, request: ReturnRequest): Promise<void>;
  /** How many vehicles of a cell this one still has something of. */
  guestsOf(owner: CellId): number;
};

export const createHost = (context: HostContext): Host => {
  const { table, failovers, stays, serving, store, commands, twins, broker, clock } = context;

  const find = (vin: string): Vehicle | undefined => {
    const parsed = parseVin(vin);
    return isVin(parsed) ? table.get(parsed) : undefined;
  };
  const guestOf = (vehicle: Vehicle) => ({ record: vehicle.record, stay: stays.of(vehicle.number).stay });

  return {
    async welcome(vehicle) {
      if (vehicle.record.state !== "guest") return;
      const document = await store.replica(vehicle.record.owner, vehicle.vin);
      if (document === null) return;
      const replica = VehicleReplica.parse(JSON.parse(document));
      const rows = await mergeHere({ store, clock, commands }, vehicle, replica.commands);
      const twin = mergeTwins(await readTwin(store, vehicle.number), replica.twin);
      await store.save({ copiedCommands: rows, ...twinChanges(twin, vehicle.number) });
      await twins.forget(vehicle.number);
      commands.release(vehicle.number);
      commands.adopt(rows);
      await broker().remember(vehicle.vinKey, replica.subscriptions);
    },
    async giveBack(owner, { term, vins }) {
      const vehicles: ReturnAnswer["vehicles"] = [];
      const heard = failovers.of(owner);
      for (const vin of vins) {
        const vehicle = find(vin);
        const guest = vehicle === undefined ? { record: null, stay: null } : guestOf(vehicle);
        const given = handOver(owner, heard, term, guest);
        if (given === null) return null;
        if (vehicle === undefined || !isStaying(owner, given)) continue;
        stays.set(vehicle.number, { stay: given.stay });
        await serving.still(vehicle.number);
        serving.resume(vehicle.number);
        vehicles.push({
          vin: vehicle.vin,
          commands: await recentCommands(store, clock, vehicle),
          twin: await readTwin(store, vehicle.number),
        });
      }
      return { vehicles };
    },
    async seeOff(_, { term, vins }) {
      const before = vins.flatMap((vin) => find(vin) ?? []);
      const left = before.flatMap((vehicle) => {
        const { record } = bidFarewell(guestOf(vehicle), term);
        return record === null || record === vehicle.record ? [] : [{ ...vehicle, record }];
      });
      const numbers = left.map(({ number }) => number);
      if (left.length === 0) return;
      await table.update({ set: left, drop: [], erase: [], with: { erasedCommands: numbers, erasedTwins: numbers } });
      for (const vehicle of left) {
        commands.release(vehicle.number);
        await twins.forget(vehicle.number);
        context.dismiss(vehicle);
        await broker().remember(vehicle.vinKey, []);
      }
    },
    guestsOf: (owner) => [...table.all()].filter((vehicle) => isStaying(owner, guestOf(vehicle))).length,
  };
};
