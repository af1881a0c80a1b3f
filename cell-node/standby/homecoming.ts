import { ReturnAnswer } from "#schema/api/standby.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Failovers } from "../admission/failovers.ts";
import type { Vehicle } from "../admission/vehicle.ts";
import type { VehicleTable } from "../admission/vehicle-table.ts";
import type { Clock } from "../clock.ts";
import type { Store } from "../store/store.ts";
import type { CellTwins } from "../twin/start-twins.ts";
import { readTwin, twinChanges } from "../twin/twin-bundle.ts";
import type { CommandDesk } from "../vehicle/command-desk.ts";
import { mergeHere } from "./guest-commands.ts";
import { mergeTwins } from "./merge-twins.ts";
import type { PeerClient } from "./peer-client.ts";
import type { Stays } from "./stays.ts";

export type HomecomingContext = {
  readonly self: CellId;
  readonly table: VehicleTable;
  readonly failovers: Failovers;
  readonly stays: Stays;
  readonly store: Store;
  readonly commands: CommandDesk;
  readonly twins: CellTwins;
  readonly clock: Clock;
  readonly peer: PeerClient;
  /** Some vehicles are served here again. */
  readonly onHome: () => void;
};

const BATCH = 100;

/**
 * The owner's side of a return: asks its standby for the vehicles, a batch at each step so that they come paced, merges what it is given, and serves each
 * from then on.
 */
export const createHomecoming = (context: HomecomingContext): { step(): Promise<void> } => {
  const { self, table, failovers, stays, store, commands, twins, clock, peer } = context;

  const takeHome = async (vehicle: Vehicle, theirs: ReturnAnswer["vehicles"][number]): Promise<void> => {
    const rows = await mergeHere({ store, clock, commands }, vehicle, theirs.commands);
    const twin = mergeTwins(await readTwin(store, vehicle.number), theirs.twin);
    await store.save({ copiedCommands: rows, ...twinChanges(twin, vehicle.number) });
    await twins.forget(vehicle.number);
    commands.release(vehicle.number);
    commands.adopt(rows);
  };

  return {
    async step() {
      const { phase, term, standby } = failovers.of(self);
      if (phase !== "returning" || standby === null) return;
      const away = [...table.all()].filter(({ number, record }) => record.state === "owned" && stays.of(number).homeTerm < term);
      const batch = away.slice(0, BATCH);
      if (batch.length === 0) return;
      const request = { term, vins: batch.map(({ vin }) => vin) };
      const answer = await peer(standby, `/v1/standby/${self}/return`, request);
      const given = answer?.status === 200 ? ReturnAnswer.safeParse(answer.body).data : undefined;
      if (given === undefined) return;
      const byVin = new Map(given.vehicles.map((vehicle) => [vehicle.vin, vehicle]));
      for (const vehicle of batch) {
        const theirs = byVin.get(vehicle.vin);
        if (theirs !== undefined) await takeHome(vehicle, theirs);
        stays.set(vehicle.number, { homeTerm: term });
      }
      context.onHome();
      if (byVin.size > 0) await peer(standby, `/v1/standby/${self}/returned`, { term, vins: [...byVin.keys()] });
    },
  };
};
