import type { Grant } from "#schema/api/grants.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { Deps } from "../deps.ts";
import { findGrant, revokeGrant as revoke } from "../store/grants.ts";
import { commit } from "./commit.ts";
import { grantChangeOf, toGrant } from "./grant-view.ts";
import { requireVehicle } from "./require.ts";

/** Takes somebody's right at a vehicle away, whether it was granted here or stands in access tokens only; the cell learns it with its next sync. */
export const revokeGrant = async (deps: Deps, vin: Vin, subject: string): Promise<Grant> => {
  const now = deps.clock();
  await commit(deps.ledger, async () => {
    const { vehicle } = await requireVehicle(deps, vin);
    const before = await findGrant(deps.database, vin, subject);
    if (before !== null && before.revokedAt !== null) return [];
    const statements = [revoke(vin, subject, before?.role ?? "service", now)];
    return { statements, changes: [grantChangeOf(vehicle.vinKey, subject, before, null)] };
  });
  return toGrant((await findGrant(deps.database, vin, subject)) ?? { vin, subject, role: "service", updatedAt: now, revokedAt: now });
};
