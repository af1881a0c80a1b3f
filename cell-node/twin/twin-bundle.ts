import type { BundledTwin } from "#schema/api/twin.ts";
import { DESIRED_HISTORY } from "#schema/domain/merge.ts";
import { EMPTY_TWIN } from "#schema/domain/twin.ts";
import type { Changes, Store } from "../store/store.ts";
import { toTwinRow } from "./twin-rows.ts";

/** The twin as another cell gets it, as it is on disk; null when there is none. */
export const readTwin = async (store: Pick<Store, "twin" | "desired">, vehicle: number): Promise<BundledTwin | null> => {
  const [row, desired] = await Promise.all([store.twin(vehicle), store.desired(vehicle, DESIRED_HISTORY + 1)]);
  if (row === null && desired.length === 0) return null;
  const { vehicle: _, ...twin } = row ?? toTwinRow(vehicle, EMPTY_TWIN);
  return { ...twin, desired: desired.map(({ vehicle: _, ...version }) => version) };
};

/** What puts a twin from another cell in the place of the one here. After it is on disk the shelf has to forget the vehicle. */
export const twinChanges = (twin: BundledTwin | null, vehicle: number): Pick<Changes, "twins" | "desired" | "erasedTwins"> => {
  if (twin === null) return { erasedTwins: [vehicle] };
  const { desired, ...row } = twin;
  return {
    erasedTwins: [vehicle],
    twins: [{ vehicle, ...row }],
    desired: desired.toReversed().map((version) => ({ vehicle, ...version })),
  };
};
