import type { AddressedOrder } from "#schema/api/moves.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";

/** `again`: nothing was done yet, try again soon. */
export type Obey = (order: AddressedOrder) => Promise<"done" | "again">;

/**
 * Carries out orders: one at a time for a vehicle, a bounded number at a time for the cell. Steps of a vehicle rise, so of those that wait for it only the
 * newest counts.
 */
export type OrderQueue = {
  take(orders: readonly AddressedOrder[]): void;
  /** Tries again what could not be done before. */
  retry(): void;
  readonly size: number;
};

const IN_HAND = 32;

export const createOrderQueue = (obey: Obey, onError: (order: AddressedOrder, error: unknown) => void): OrderQueue => {
  const next = new Map<VinKey, AddressedOrder>();
  const inHand = new Set<VinKey>();
  const later = new Map<VinKey, AddressedOrder>();

  const carryOut = async (order: AddressedOrder): Promise<void> => {
    inHand.add(order.vinKey);
    try {
      if ((await obey(order)) === "again") later.set(order.vinKey, order);
    } catch (error) {
      onError(order, error);
      later.set(order.vinKey, order);
    } finally {
      inHand.delete(order.vinKey);
      pump();
    }
  };

  const pump = (): void => {
    for (const [vinKey, order] of next) {
      if (inHand.size >= IN_HAND) return;
      if (inHand.has(vinKey)) continue;
      next.delete(vinKey);
      void carryOut(order);
    }
  };

  return {
    take(orders) {
      for (const order of orders) {
        later.delete(order.vinKey);
        next.set(order.vinKey, order);
      }
      pump();
    },
    retry() {
      for (const [vinKey, order] of later) if (!next.has(vinKey) && !inHand.has(vinKey)) next.set(vinKey, order);
      later.clear();
      pump();
    },
    get size() {
      return next.size + inHand.size + later.size;
    },
  };
};
