import type { VinKey } from "#schema/domain/vin-key.ts";
import type { Lease } from "../port.ts";

/** Leases on what a replica holds, without an end of their own. */
export type ReplicaLeases = {
  of(vinKey: VinKey): Lease;
  /** The vehicle's record is another now. */
  end(vinKey: VinKey): void;
  endAll(): void;
};

/** Two characters of a vinKey make 4,096 groups: a change ends few leases beside its own. */
const groupOf = (vinKey: VinKey): string => vinKey.slice(0, 2);

export const createReplicaLeases = (): ReplicaLeases => {
  const leases = new Map<string, Lease>();
  const endGroup = (group: string): void => {
    const lease = leases.get(group);
    if (lease === undefined) return;
    lease.untilMs = 0;
    leases.delete(group);
  };
  return {
    of(vinKey) {
      const group = groupOf(vinKey);
      const lease = leases.get(group) ?? { untilMs: Number.POSITIVE_INFINITY };
      leases.set(group, lease);
      return lease;
    },
    end: (vinKey) => endGroup(groupOf(vinKey)),
    endAll() {
      for (const group of leases.keys()) endGroup(group);
    },
  };
};
