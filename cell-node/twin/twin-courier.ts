import { DESIRED_HISTORY } from "#schema/domain/merge.ts";
import { topicOf } from "#schema/domain/topic.ts";
import { desiredMessageFor } from "#schema/domain/twin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import type { Logger } from "#schema/http/log.ts";
import type { Broker, Session } from "../gateway/broker.ts";
import type { Store } from "../store/store.ts";
import type { Serving } from "../vehicle/serving.ts";
import type { TwinShelf } from "./twin-shelf.ts";

export type TwinCourierContext = {
  readonly broker: () => Broker;
  readonly store: Store;
  readonly shelf: TwinShelf;
  readonly serving: Serving;
  readonly logger: Logger;
};

/** Sends the desired document to a vehicle that listens: always the version that holds then, never an older one after a newer one. */
export type TwinCourier = { send(vinKey: VinKey): void };

export const createTwinCourier = ({ broker, store, shelf, serving, logger }: TwinCourierContext): TwinCourier => {
  /** `again`: there is something newer than what is being sent. */
  const underWay = new Map<VinKey, "once" | "again">();

  const sendNow = async (session: Session): Promise<void> => {
    const { vehicle, vin } = session;
    const { desired: current, held } = await shelf.read(vehicle);
    const versions = held === null ? [] : await store.desired(vehicle, DESIRED_HISTORY + 1);
    const history = versions.slice(1 + versions.findIndex(({ term, version }) => term === current.term && version === current.version));
    await broker().deliver(session, {
      topic: topicOf(vin, "twin/desired"),
      payload: JSON.stringify(desiredMessageFor({ current, history }, held)),
      contentType: "application/json",
    });
  };

  const sendLatest = async (vinKey: VinKey): Promise<void> => {
    try {
      do {
        underWay.set(vinKey, "once");
        const session = broker().sessionOf(vinKey);
        if (session !== undefined) await serving.ifServed(session.vehicle, () => sendNow(session));
      } while (underWay.get(vinKey) === "again");
    } catch (error) {
      logger.error("a desired twin could not be sent", { vinKey, error });
    } finally {
      underWay.delete(vinKey);
    }
  };

  return {
    send(vinKey) {
      if (underWay.has(vinKey)) underWay.set(vinKey, "again");
      else void sendLatest(vinKey);
    },
  };
};
