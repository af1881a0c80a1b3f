import type { CommandRow } from "../store/store.ts";

/** The commands that are not final, by id and by vehicle. */
export type OpenCommands = {
  get(id: string): CommandRow | undefined;
  has(id: string): boolean;
  put(row: CommandRow): void;
  remove(row: CommandRow): void;
  /** In the order in which they go out: by priority, then oldest first. */
  of(vehicle: number): readonly CommandRow[];
  all(): Iterable<CommandRow>;
};

export const createOpenCommands = (rows: readonly CommandRow[]): OpenCommands => {
  const byId = new Map<string, CommandRow>();
  const byVehicle = new Map<number, Set<string>>();

  const put = (row: CommandRow): void => {
    byId.set(row.id, row);
    const ids = byVehicle.get(row.vehicle) ?? new Set();
    byVehicle.set(row.vehicle, ids.add(row.id));
  };
  for (const row of rows) put(row);

  return {
    get: (id) => byId.get(id),
    has: (id) => byId.has(id),
    put,
    remove({ id, vehicle }) {
      byId.delete(id);
      const ids = byVehicle.get(vehicle);
      ids?.delete(id);
      if (ids?.size === 0) byVehicle.delete(vehicle);
    },
    of: (vehicle) => [...(byVehicle.get(vehicle) ?? [])].flatMap((id) => byId.get(id) ?? []).sort((a, b) => b.priority - a.priority),
    all: () => byId.values(),
  };
};
