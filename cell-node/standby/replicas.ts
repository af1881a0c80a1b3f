import type { CellId } from "#schema/domain/cell.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";

/** What a standby knows of another cell's vehicle before it has come; the rest is in the store. */
export type Replica = { readonly owner: CellId; readonly vin: Vin; readonly vinKey: VinKey; readonly epoch: number };

/** The vehicles of the cells whose standby this one is, as their owners last told. Of two that name one VIN the newer epoch holds. */
export type Replicas = {
  of(vin: Vin): Replica | null;
  put(replica: Replica): void;
  remove(owner: CellId, vin: Vin): void;
};

export const createReplicas = (stored: readonly Replica[]): Replicas => {
  const byVin = new Map<Vin, Map<CellId, Replica>>();
  const put = (replica: Replica): void => {
    const owners = byVin.get(replica.vin) ?? new Map<CellId, Replica>();
    byVin.set(replica.vin, owners.set(replica.owner, replica));
  };
  stored.forEach(put);
  return {
    of(vin) {
      const owners = [...(byVin.get(vin)?.values() ?? [])];
      return owners.reduce<Replica | null>((best, replica) => (best === null || replica.epoch > best.epoch ? replica : best), null);
    },
    put,
    remove(owner, vin) {
      const owners = byVin.get(vin);
      owners?.delete(owner);
      if (owners?.size === 0) byVin.delete(vin);
    },
  };
};
