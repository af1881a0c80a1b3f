import * as z from "zod";
import type { ReplicaBatch, VehicleReplica } from "#schema/api/standby.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { Store } from "../store/store.ts";
import type { Replicas } from "./replicas.ts";

/** Which batch of which stream each owner has sent last. */
const Streams = z.record(z.string(), z.object({ stream: z.string(), position: z.int(), isWhole: z.boolean() }));
type Streams = z.infer<typeof Streams>;

/** The standby's side: what owners send is on disk before it is answered. */
export type ReplicaKeeper = {
  /** `out_of_turn`: the owner has to begin a new stream. */
  take(owner: CellId, batch: ReplicaBatch): Promise<"taken" | "out_of_turn">;
};

export const createReplicaKeeper = (store: Store, replicas: Replicas, stored: string | undefined): ReplicaKeeper => {
  let streams: Streams = Streams.parse(JSON.parse(stored ?? "{}"));
  /** What the snapshot under way has named; lost with the process, and then the snapshot begins anew. */
  const named = new Map<CellId, { readonly stream: string; readonly vins: Set<Vin> }>();

  return {
    async take(owner, { stream, position, isWhole, vehicles, gone }) {
      const held = streams[owner];
      const isRepeated = held?.stream === stream && held.position === position;
      const isNext = position === 0 || (held?.stream === stream && held.position + 1 === position);
      if (isRepeated && position > 0) return "taken";
      const snapshot = position === 0 ? { stream, vins: new Set<Vin>() } : named.get(owner);
      const isInSnapshot = position === 0 || held?.isWhole === false;
      if (!isNext || (isInSnapshot && snapshot?.stream !== stream)) return "out_of_turn";
      for (const { vin } of vehicles) snapshot?.vins.add(vin);
      const dropped = isInSnapshot && isWhole ? replicas.all(owner).filter((vin) => snapshot?.vins.has(vin) === false) : [];
      const next = { ...streams, [owner]: { stream, position, isWhole } };
      await store.save({
        facts: [["replicas", JSON.stringify(next)]],
        replicas: vehicles.map((vehicle: VehicleReplica) => ({ owner, ...vehicle, document: JSON.stringify(vehicle) })),
        erasedReplicas: [...gone, ...dropped].map((vin) => ({ owner, vin })),
      });
      streams = next;
      for (const { vin, vinKey, epoch } of vehicles) replicas.put({ owner, vin, vinKey, epoch });
      for (const vin of [...gone, ...dropped]) replicas.remove(owner, vin);
      if (isWhole) named.delete(owner);
      else if (snapshot !== undefined) named.set(owner, snapshot);
      return "taken";
    },
  };
};
