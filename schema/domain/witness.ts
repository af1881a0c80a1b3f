import { type CellHealth, type CellId, type CellState, takesTraffic } from "./cell.ts";
import { hash53 } from "./hash.ts";

export type WitnessCell = {
  readonly id: CellId;
  readonly state: CellState;
  readonly health: CellHealth;
  readonly standby: CellId | null;
};

const NAMED = 2;

/** Whether a cell's health needs a second opinion. */
export const needsWitness = ({ state, health }: WitnessCell): boolean => takesTraffic(state) && health !== "healthy";

/** Who is asked whether a cell can be reached: its standby, and healthy cells that its name picks, the same ones at every look. */
export const witnessesOf = (subject: WitnessCell, cells: readonly WitnessCell[]): CellId[] => {
  const able = cells.filter(({ id, state, health }) => id !== subject.id && takesTraffic(state) && health === "healthy");
  const rank = ({ id }: WitnessCell): number => (id === subject.standby ? -1 : hash53(`${subject.id}/${id}`));
  return able
    .map((cell) => ({ id: cell.id, rank: rank(cell) }))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, NAMED)
    .map(({ id }) => id);
};
