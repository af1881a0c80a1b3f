import { type CellHealth, type CellId, type CellState, takesTraffic } from "./cell.ts";
import { type Flow, rebalance } from "./rebalance.ts";

/** What a campaign is to bring about; which vehicles take part follows from it. */
export type CampaignGoal =
  | { readonly kind: "drain"; readonly cell: CellId }
  | { readonly kind: "evacuate"; readonly zone: string }
  | { readonly kind: "rebalance"; readonly tolerance: number }
  | { readonly kind: "bring_home" };

/** A cell as goals see it. */
export type GoalCell = {
  readonly id: CellId;
  readonly zone: string | null;
  readonly region: string;
  readonly state: CellState;
  readonly health: CellHealth;
  readonly vehicles: number;
  readonly capacity: number;
};

/** A vehicle as goals see it; `region` is where it lives now, as far as is known. */
export type GoalVehicle = { readonly cell: CellId; readonly zone: string | null; readonly region: string | null };

const isOpen = ({ state, health }: GoalCell): boolean => state === "active" && health === "healthy";
const isLegal = (vehicle: GoalVehicle, cell: GoalCell): boolean => vehicle.zone === null || vehicle.zone === cell.zone;

/** How many vehicles each pair of cells exchanges so that the cells of each zone are equally full; cells without a zone are a group of their own (I12). */
export const balanceZones = (cells: readonly GoalCell[], tolerance: number): Flow[] => {
  const zones = Map.groupBy(cells.filter(isOpen), ({ zone }) => zone);
  return [...zones.values()].flatMap((group) => rebalance(group, tolerance));
};

/** Whether a cell would leave the vehicle where it is, as far as this goal goes. */
const stays = (goal: Exclude<CampaignGoal, { kind: "rebalance" }>, vehicle: GoalVehicle, cell: GoalCell | undefined): boolean => {
  switch (goal.kind) {
    case "drain":
      return vehicle.cell !== goal.cell;
    case "evacuate":
      return cell?.zone !== goal.zone;
    case "bring_home":
      return vehicle.region === null || cell?.region === vehicle.region;
  }
};

const isWanted = (goal: Exclude<CampaignGoal, { kind: "rebalance" }>, vehicle: GoalVehicle, target: GoalCell): boolean => {
  if (goal.kind === "evacuate") return target.zone !== goal.zone;
  return goal.kind === "drain" || target.region === vehicle.region;
};

export type Wish =
  | { readonly kind: "stay" }
  /** Any of these would do; placement chooses among them. */
  | { readonly kind: "move"; readonly targets: readonly CellId[] }
  /** It should go, and no cell that may have it is open: the zone conflicts of a plan. */
  | { readonly kind: "stuck"; readonly reason: "no_cell_in_zone" | "no_open_cell" };

/** What a goal means for one vehicle. Zones always hold (I12): a vehicle bound to an evacuated zone is `stuck`, and a person decides. */
export const wishFor = (goal: Exclude<CampaignGoal, { kind: "rebalance" }>, vehicle: GoalVehicle, cells: readonly GoalCell[]): Wish => {
  const own = cells.find(({ id }) => id === vehicle.cell);
  if (stays(goal, vehicle, own)) return { kind: "stay" };
  const legal = cells.filter((cell) => cell.id !== vehicle.cell && isLegal(vehicle, cell) && isWanted(goal, vehicle, cell));
  if (legal.every(({ state }) => !takesTraffic(state))) {
    // Nobody is pressed to go where it lives when there is no cell.
    return goal.kind === "bring_home" ? { kind: "stay" } : { kind: "stuck", reason: "no_cell_in_zone" };
  }
  const targets = legal.filter(isOpen).map(({ id }) => id);
  return targets.length === 0 ? { kind: "stuck", reason: "no_open_cell" } : { kind: "move", targets };
};
