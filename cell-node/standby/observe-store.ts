import type { Changes, Store } from "../store/store.ts";

const vehiclesIn = (changes: Changes): number[] => [
  ...(changes.vehicles ?? []).map(({ number }) => number),
  ...(changes.erased ?? []),
  ...(changes.erasedCommands ?? []),
  ...[changes.twins, changes.desired, changes.commands, changes.commandStates, changes.copiedCommands].flatMap((rows) =>
    (rows ?? []).map(({ vehicle }) => vehicle),
  ),
];

/** The same store; says of which vehicles the control state has changed, once it is on disk. */
export const observeStore = (store: Store, onChanged: (vehicles: readonly number[]) => void): Store => ({
  ...store,
  async save(changes) {
    await store.save(changes);
    const changed = vehiclesIn(changes);
    if (changed.length > 0) onChanged(changed);
    return undefined;
  },
});
