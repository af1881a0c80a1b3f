import type { CellId } from "./cell.ts";

/** A cell among which vehicles may be exchanged: of one zone, open to traffic. `capacity` is what it may hold. */
export type LoadedCell = { readonly id: CellId; readonly vehicles: number; readonly capacity: number };

/** So many vehicles, whichever, from one cell to another. */
export type Flow = { readonly from: CellId; readonly to: CellId; readonly vehicles: number };

type Balance = { readonly id: CellId; readonly part: number; surplus: number };

/** How far each cell is above (or below) its part when all are equally full, in whole vehicles that add up to nothing. */
const balancesOf = (cells: readonly LoadedCell[]): Balance[] => {
  const total = cells.reduce((sum, { vehicles }) => sum + vehicles, 0);
  const capacity = cells.reduce((sum, cell) => sum + cell.capacity, 0);
  let given = 0;
  let room = 0;
  return cells.map(({ id, vehicles, capacity: own }) => {
    room += own;
    const part = Math.round((total * room) / capacity) - given;
    given += part;
    return { id, part, surplus: vehicles - part };
  });
};

const isWithin = ({ part, surplus }: Balance, tolerance: number): boolean => Math.abs(surplus) <= Math.max(1, tolerance * part);

/**
 * The flows after which every cell is as full as the others to within `tolerance` (0.05: a twentieth of its part): nothing when they are already. The fullest
 * gives to the emptiest until one of the two has its part, so there are fewer flows than cells and no vehicle moves twice.
 */
export const rebalance = (cells: readonly LoadedCell[], tolerance: number): Flow[] => {
  const balances = balancesOf(cells.filter(({ capacity }) => capacity > 0));
  const flows: Flow[] = [];
  while (balances.some((balance) => !isWithin(balance, tolerance))) {
    balances.sort((a, b) => b.surplus - a.surplus);
    const [fullest, emptiest] = [balances[0], balances.at(-1)];
    if (fullest === undefined || emptiest === undefined) break;
    const vehicles = Math.min(fullest.surplus, -emptiest.surplus);
    if (vehicles <= 0) break;
    fullest.surplus -= vehicles;
    emptiest.surplus += vehicles;
    flows.push({ from: fullest.id, to: emptiest.id, vehicles });
  }
  return flows;
};
