import { Hono } from "hono";
import { AppError } from "#schema/api/error.ts";
import { verifyPullToken } from "#schema/crypto/pull-token.ts";
import { mayPull } from "#schema/domain/cell-move.ts";
import type { AdmissionContext } from "../admission/admit-vehicle.ts";
import type { Store } from "../store/store.ts";
import { readBundle } from "./bundle.ts";
import type { Marks } from "./marks.ts";

export type MoveRoutesContext = { readonly admission: AdmissionContext; readonly marks: Marks; readonly store: Store };

/** One answer for what is not there, not locked any more, or not the caller's: nobody learns which. */
const nothing = (): AppError => new AppError("not_found", "there is no such vehicle to pull");

/** `GET /v1/moves/{moveId}/vehicle`: the vehicle, for the target of the move, while the lock holds. */
export const moveRoutes = ({ admission, marks, store }: MoveRoutesContext): Hono => {
  const app = new Hono();
  app.get("/:moveId/vehicle", async (c) => {
    const moveId = c.req.param("moveId");
    const number = marks.vehicleOf(moveId);
    const vehicle = number === undefined ? undefined : admission.table.byNumber(number);
    const mark = number === undefined ? null : marks.get(number);
    const keys = mark === null ? undefined : admission.world().keysOfCell(mark.peer);
    const token = /^Bearer (\S+)$/i.exec(c.req.header("Authorization") ?? "")?.[1];
    if (token === undefined) throw new AppError("unauthenticated", "Authorization: Bearer <pull token> is required");
    if (vehicle === undefined || mark === null || keys === undefined) throw nothing();
    const { self, clock } = admission;
    const claims = { target: mark.peer, source: self, moveId, vinKey: vehicle.vinKey };
    const verdict = await verifyPullToken(token, { ...claims, keys, nowMs: clock.nowMs() });
    if (verdict.kind === "refused") throw new AppError("unauthenticated", verdict.detail);
    const mayRead = () => mayPull({ record: admission.table.get(vehicle.vin)?.record ?? null, mark }, moveId, mark.peer);
    if (!mayRead() || mark.lockedAt === null) throw nothing();
    const bundle = await readBundle(store, vehicle, { lockedAt: mark.lockedAt, session: mark.session });
    if (!mayRead()) throw nothing();
    return c.json(bundle);
  });
  return app;
};
