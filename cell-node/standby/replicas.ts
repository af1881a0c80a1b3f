import { type CellId, parseCellId } from "#schema/domain/cell.ts";
import { isVin, parseVin, type Vin } from "#schema/domain/vin.ts";
import { parseVinKey, type VinKey } from "#schema/domain/vin-key.ts";
import type { ReplicaRow, Store } from "../store/store.ts";

/** What a standby knows of another cell's vehicle before it has come; the rest is in the store. */
export type Replica = { readonly owner: CellId; readonly vin: Vin; readonly vinKey: VinKey; readonly epoch: number };

/** The vehicles of the cells whose standby this one is, as their owners last told. Of two that name one VIN the newer epoch holds. */
export type Replicas = {
  of(vin: Vin): Replica | null;
  put(replica: Replica): void;
  remove(owner: CellId, vin: Vin): void;
  all(owner: CellId): Vin[];
};

const createReplicas = (stored: readonly Replica[]): Replicas => {
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
    all: (owner) => [...byVin].flatMap(([vin, owners]) => (owners.has(owner) ? [vin] : [])),
    remove(owner, vin) {
      const owners = byVin.get(vin);
      owners?.delete(owner);
      if (owners?.size === 0) byVin.delete(vin);
    },
  };
};

const parseReplica = (row: Omit<ReplicaRow, "document">): Replica => {
  const [owner, vin, vinKey] = [parseCellId(row.owner), parseVin(row.vin), parseVinKey(row.vinKey)];
  if (owner === null || !isVin(vin) || vinKey === null) throw new Error("a replica in the store is unreadable");
  return { owner, vin, vinKey, epoch: row.epoch };
};

export const loadReplicas = async (store: Pick<Store, "replicas">): Promise<Replicas> =>
  createReplicas((await store.replicas()).map(parseReplica));
