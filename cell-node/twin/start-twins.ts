import type { JsonObject } from "#schema/domain/merge-patch.ts";
import { isVin, parseVin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import type { Logger } from "#schema/http/log.ts";
import type { AdmissionContext } from "../admission/admit-vehicle.ts";
import { isServedHere, type Vehicle } from "../admission/vehicle.ts";
import type { Broker } from "../gateway/broker.ts";
import type { AllRulePorts } from "../rules/ports.ts";
import type { Store } from "../store/store.ts";
import type { Serving } from "../vehicle/serving.ts";
import { createTwinCourier } from "./twin-courier.ts";
import { createTwinDesk, type TwinDesk } from "./twin-desk.ts";
import { createTwinShelf } from "./twin-shelf.ts";

export type TwinParts = {
  readonly admission: AdmissionContext;
  readonly store: Store;
  readonly serving: Serving;
  readonly broker: () => Broker;
  readonly logger: Logger;
};

export type CellTwins = {
  readonly desk: TwinDesk;
  /** A vehicle listens for its desired twin now. */
  readonly onListening: (vinKey: VinKey) => void;
  /** The vehicle's twin was put in place, or taken away, on disk. */
  readonly forget: (vehicle: number) => Promise<void>;
  readonly patchTwin: AllRulePorts["patchTwin"];
};

/** Puts twins to work on the cell's parts. */
export const startTwins = ({ admission, store, serving, broker, logger }: TwinParts): CellTwins => {
  const shelf = createTwinShelf(store);
  const courier = createTwinCourier({ broker, store, shelf, serving, logger });
  const termOf = ({ number, record }: Vehicle): number => (record.state === "guest" ? (admission.stays.of(number).stay?.term ?? 0) : 0);
  const desk = createTwinDesk({ store, shelf, courier, serving, clock: admission.clock, termOf });
  return {
    desk,
    onListening: courier.send,
    forget: shelf.forget,
    async patchTwin(subject, patch) {
      const vin = parseVin(subject.vin);
      const vehicle = isVin(vin) ? admission.table.get(vin) : undefined;
      if (vehicle === undefined || !isServedHere(vehicle)) throw new Error("the vehicle is not served here any more");
      const outcome = await desk.patchDesired(vehicle, { patch: patch as JsonObject, isExpected: () => true, changedBy: "rules" });
      if (outcome.kind === "misfit") throw new Error(outcome.reason);
    },
  };
};
