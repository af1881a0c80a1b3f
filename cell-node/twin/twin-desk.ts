import { randomUUID } from "node:crypto";
import { AppError } from "#schema/api/error.ts";
import type { ActivityReport } from "#schema/domain/activity.ts";
import { DESIRED_HISTORY } from "#schema/domain/merge.ts";
import type { JsonObject } from "#schema/domain/merge-patch.ts";
import { patchDesired, type Twin, takeReport } from "#schema/domain/twin.ts";
import type { Vehicle } from "../admission/vehicle.ts";
import type { Clock } from "../clock.ts";
import type { Session } from "../gateway/broker.ts";
import type { DesiredRow, Store } from "../store/store.ts";
import type { JsonPayload, PayloadFault } from "../vehicle/payload.ts";
import type { Serving } from "../vehicle/serving.ts";
import type { TwinCourier } from "./twin-courier.ts";
import { toTwinRow } from "./twin-rows.ts";
import type { TwinShelf } from "./twin-shelf.ts";

export type TwinDeskContext = {
  readonly store: Store;
  readonly shelf: TwinShelf;
  readonly courier: TwinCourier;
  readonly serving: Serving;
  readonly clock: Clock;
  /** Of the failover under which the cell serves the vehicle as a guest; 0 for its own. */
  readonly termOf: (vehicle: Vehicle) => number;
};

export type DesiredChange = {
  readonly patch: JsonObject;
  /** Whether the version that holds now is one that the caller expects. */
  readonly isExpected: (twin: Twin) => boolean;
  readonly changedBy: string;
};
export type DesiredOutcome =
  | { readonly kind: "changed" | "unchanged" | "unexpected"; readonly twin: Twin }
  | { readonly kind: "misfit"; readonly reason: string };

/** Twins of the vehicles served here: what they report, what they are to be. */
export type TwinDesk = {
  read(vehicle: Pick<Vehicle, "number">): Promise<Twin>;
  /** The desired version that holds and those before it, latest first. */
  history(vehicle: Pick<Vehicle, "number">): Promise<readonly DesiredRow[]>;
  activityOf(vehicle: Pick<Vehicle, "number">): Promise<ActivityReport | null>;
  /** Stores what a vehicle reports (I7). */
  takeReported(report: {
    readonly session: Session;
    readonly receivedAt: number;
    readonly json: JsonPayload;
  }): Promise<PayloadFault | undefined>;
  /** On disk when it resolves, then sent to the vehicle if it listens. */
  patchDesired(vehicle: Vehicle, change: DesiredChange): Promise<DesiredOutcome>;
};

export const createTwinDesk = ({ store, shelf, courier, serving, clock, termOf }: TwinDeskContext): TwinDesk => {
  const setDesired = (vehicle: Vehicle, { patch, isExpected, changedBy }: DesiredChange): Promise<DesiredOutcome> =>
    shelf.change<DesiredOutcome>(vehicle.number, async (twin) => {
      if (!isExpected(twin)) return { twin, result: { kind: "unexpected", twin } };
      const patched = patchDesired(twin.desired, patch, termOf(vehicle));
      if (patched.kind === "misfit") return { twin, result: patched };
      if (patched.kind === "unchanged") return { twin, result: { kind: "unchanged", twin } };
      await store.save({ desired: [{ vehicle: vehicle.number, ...patched.next, changedAt: clock.nowMs(), changedBy }] });
      const next = { ...twin, desired: patched.next };
      courier.send(vehicle.vinKey);
      return { twin: next, result: { kind: "changed", twin: next } };
    });

  return {
    read: ({ number }) => shelf.read(number),
    history: ({ number }) => store.desired(number, DESIRED_HISTORY + 1),
    activityOf: async ({ number }) => (await shelf.read(number)).activity,
    async takeReported({ session: { vehicle, vinKey }, receivedAt, json }) {
      if (Array.isArray(json.value)) return { kind: "invalid", reason: "a merge patch of the twin is a JSON object" };
      const fault = await shelf.change<PayloadFault | undefined>(vehicle, async (twin) => {
        const taken = takeReport(twin, json.value as JsonObject, receivedAt);
        if (taken.kind === "misfit") return { twin, result: { kind: "invalid", reason: taken.reason } };
        const { boot, seq } = taken.stamp;
        const id = boot > 0 ? `${boot}.${seq}` : randomUUID();
        await store.save({
          twins: [toTwinRow(vehicle, taken.twin)],
          uplinks: [["twin-reported", { vehicle, id, receivedAt, payload: json.text }]],
        });
        if (taken.wantsDesired) courier.send(vinKey);
        return { twin: taken.twin, result: undefined };
      });
      return fault;
    },
    async patchDesired(vehicle, change) {
      const outcome = await serving.ifServed(vehicle.number, () => setDesired(vehicle, change));
      if (outcome === null) throw new AppError("busy", "the vehicle is being moved");
      return outcome;
    },
  };
};
