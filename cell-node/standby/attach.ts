import { Gauge, type Registry } from "prom-client";
import type { GuestsEntry } from "#schema/api/failover.ts";
import type { SigningKey } from "#schema/crypto/keys.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Logger } from "#schema/http/log.ts";
import type { Failovers } from "../admission/failovers.ts";
import type { Vehicle } from "../admission/vehicle.ts";
import type { VehicleTable } from "../admission/vehicle-table.ts";
import type { World } from "../admission/world.ts";
import type { Clock } from "../clock.ts";
import type { Broker } from "../gateway/broker.ts";
import type { Store } from "../store/store.ts";
import type { CellTwins } from "../twin/start-twins.ts";
import { readTwin } from "../twin/twin-bundle.ts";
import type { CommandDesk } from "../vehicle/command-desk.ts";
import type { Serving } from "../vehicle/serving.ts";
import { recentCommands } from "./guest-commands.ts";
import { createHomecoming } from "./homecoming.ts";
import { createHost, type Host } from "./host.ts";
import { createPeerClient } from "./peer-client.ts";
import { createReplicaKeeper, type ReplicaKeeper } from "./replica-keeper.ts";
import type { Replicas } from "./replicas.ts";
import { createReplicator } from "./replicator.ts";
import type { Stays } from "./stays.ts";

export type StandbyParts = {
  readonly self: CellId;
  readonly key: SigningKey;
  readonly world: () => World;
  readonly table: VehicleTable;
  readonly failovers: Failovers;
  readonly stays: Stays;
  readonly replicas: Replicas;
  readonly serving: Serving;
  readonly store: Store;
  readonly commands: CommandDesk;
  readonly twins: CellTwins;
  readonly broker: () => Broker;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly dismiss: (vehicle: Vehicle) => void;
  /** JSON of the streams that were taken last. */
  readonly streams: string | undefined;
};

export type CellStandby = {
  readonly keeper: ReplicaKeeper;
  readonly host: Host;
  readonly touch: (vehicles: readonly number[]) => void;
  /** Replicates what is due and takes a batch of vehicles home; call it about every second. */
  step(): Promise<void>;
  /** What control waits for while vehicles of other cells return from here. */
  guestReports(): GuestsEntry[];
};

/** Puts both sides of standing by to work: this cell towards its standby, and towards those whose standby it is. */
export const startStandby = (parts: StandbyParts): CellStandby => {
  const { self, key, world, table, failovers, replicas, serving, store, broker, clock, logger, registry } = parts;
  const peer = createPeerClient(self, key, world, clock);
  const host = createHost(parts);
  const homecoming = createHomecoming({ ...parts, peer, onHome: serving.review });
  const replicator = createReplicator({
    table,
    clock,
    standby: () => world().standby,
    replicaOf: async (vehicle) => ({
      ...{ vin: vehicle.vin, vinKey: vehicle.vinKey, epoch: vehicle.record.epoch },
      commands: await recentCommands(store, clock, vehicle),
      twin: await readTwin(store, vehicle.number),
      subscriptions: [...(await broker().remembered(vehicle.vinKey))],
    }),
    send: (standby, batch) => peer(standby, `/v1/standby/${self}/replicas`, batch),
  });
  new Gauge({
    name: "cloverleaf_cell_standby_lag_seconds",
    help: "For how long the oldest change of control state has waited for the standby",
    registers: [registry],
    collect() {
      this.set(replicator.lagSeconds());
    },
  });
  let isStepping = false;
  return {
    keeper: createReplicaKeeper(store, replicas, parts.streams),
    host,
    touch: replicator.touch,
    async step() {
      if (isStepping) return;
      isStepping = true;
      try {
        await replicator.step();
        await homecoming.step();
      } catch (error) {
        logger.error("the standby could not be brought up to date", { error });
      } finally {
        isStepping = false;
      }
    },
    guestReports: () =>
      world().standbyFor.flatMap((cell) => {
        const { phase, term } = failovers.of(cell);
        return phase === "returning" ? [{ kind: "guests" as const, cell, term, guests: host.guestsOf(cell) }] : [];
      }),
  };
};
