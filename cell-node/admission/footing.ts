import type { Credential, VehicleRecord } from "#schema/domain/admission.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { type Guest, isFailedOverFor } from "#schema/domain/guest.ts";
import { isTableComplete, mayServe, type ServiceFacts } from "#schema/domain/serving.ts";
import type { Stays } from "../standby/stays.ts";
import type { Footing } from "../vehicle/serving.ts";
import type { Failovers } from "./failovers.ts";
import type { TableCompleteness } from "./table-completeness.ts";
import type { Vehicle } from "./vehicle.ts";
import type { VehicleTable } from "./vehicle-table.ts";

export type StandingContext = {
  readonly self: CellId;
  readonly table: VehicleTable;
  readonly completeness: TableCompleteness;
  readonly failovers: Failovers;
  readonly stays: Stays;
};

/** How the cell stands towards its vehicles (design §5), by schema/domain. */
export type CellStanding = {
  footingOf(vehicle: number): Footing;
  /** Row 4 of the admission table, for one vehicle. */
  isTableComplete(vehicle: Vehicle | undefined, credential: Credential): boolean;
  /** Whether the owner counts as failed over for this vehicle. */
  isFailedOver(owner: CellId, vehicle: Vehicle | undefined): boolean;
};

export const createCellStanding = ({ self, table, completeness, failovers, stays }: StandingContext): CellStanding => {
  const guestOf = (vehicle: Vehicle | undefined): Guest => ({
    record: vehicle?.record ?? null,
    stay: vehicle === undefined ? null : stays.of(vehicle.number).stay,
  });
  const factsOf = (vehicle: Vehicle | undefined): ServiceFacts => ({
    standing: { mode: completeness.mode(), failover: failovers.of(self) },
    homeTerm: vehicle === undefined ? 0 : stays.of(vehicle.number).homeTerm,
    guest: guestOf(vehicle),
    failoverOf: failovers.of,
  });

  /** A session may stay, waiting: through a lock, a hand-over, or while the cell asks control. */
  const mayWait = (record: VehicleRecord | null, facts: ServiceFacts): boolean => {
    if (record?.state === "locked" || record?.state === "copied") return true;
    if (record?.state === "owned") return facts.standing.mode === "asking";
    if (record?.state !== "guest" || record.isReturned) return false;
    const { phase, term } = failovers.of(record.owner);
    return phase !== "serving" && facts.guest.stay?.term === term;
  };

  return {
    footingOf(number) {
      const vehicle = table.byNumber(number);
      const facts = factsOf(vehicle);
      if (mayServe(facts)) return "served";
      return mayWait(vehicle?.record ?? null, facts) ? "held" : "lost";
    },
    isTableComplete: (vehicle, credential) => isTableComplete(self, factsOf(vehicle), credential),
    isFailedOver: (owner, vehicle) => isFailedOverFor(owner, failovers.of(owner), guestOf(vehicle)),
  };
};
