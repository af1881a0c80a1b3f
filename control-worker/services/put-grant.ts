import type { Grant, GrantRequest } from "#schema/api/grants.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { Deps } from "../deps.ts";
import { findGrant, upsertGrant } from "../store/grants.ts";
import { commit } from "./commit.ts";
import { grantChangeOf, toGrant } from "./grant-view.ts";
import { requireVehicle } from "./require.ts";

/** Gives somebody a role at a vehicle; the vehicle's cell learns it with its next sync. */
export const putGrant = async (deps: Deps, vin: Vin, subject: string, { role }: GrantRequest): Promise<Grant> => {
  const now = deps.clock();
  await commit(deps.ledger, async () => {
    const { vehicle } = await requireVehicle(deps, vin);
    const before = await findGrant(deps.database, vin, subject);
    if (before !== null && before.role === role && before.revokedAt === null) return [];
    return { statements: [upsertGrant(vin, subject, role, now)], changes: [grantChangeOf(vehicle.vinKey, subject, before, role)] };
  });
  return toGrant((await findGrant(deps.database, vin, subject)) ?? { vin, subject, role, updatedAt: now, revokedAt: null });
};
