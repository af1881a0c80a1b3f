import { type Context, Hono } from "hono";
import { AppError, parseInput } from "#schema/api/error.ts";
import { ReplicaBatch, ReturnRequest } from "#schema/api/standby.ts";
import { verifyPeerToken } from "#schema/crypto/peer-token.ts";
import { type CellId, parseCellId } from "#schema/domain/cell.ts";
import type { AdmissionContext } from "../admission/admit-vehicle.ts";
import type { Host } from "./host.ts";
import type { ReplicaKeeper } from "./replica-keeper.ts";

export type StandbyRoutesContext = {
  readonly admission: Pick<AdmissionContext, "self" | "world" | "clock">;
  readonly keeper: ReplicaKeeper;
  readonly host: Host;
};

/** `/v1/standby/{owner}/…`: what a cell says to its standby, signed with the cell's key. */
export const standbyRoutes = ({ admission, keeper, host }: StandbyRoutesContext): Hono => {
  const app = new Hono();

  const ownerOf = async (c: Context): Promise<CellId> => {
    const owner = parseCellId(c.req.param("owner"));
    const keys = owner === null ? undefined : admission.world().keysOfCell(owner);
    const token = /^Bearer (\S+)$/i.exec(c.req.header("Authorization") ?? "")?.[1];
    if (owner === null || keys === undefined || token === undefined) throw new AppError("unauthenticated", "a peer token is required");
    const verdict = await verifyPeerToken(token, { keys, from: owner, to: admission.self, nowMs: admission.clock.nowMs() });
    if (verdict.kind === "refused") throw new AppError("unauthenticated", verdict.detail);
    return owner;
  };

  app.post("/:owner/replicas", async (c) => {
    const owner = await ownerOf(c);
    if (!admission.world().standbyFor.includes(owner)) throw new AppError("forbidden", "this cell is not the standby of the caller");
    const taken = await keeper.take(owner, parseInput(ReplicaBatch, await c.req.json()));
    if (taken === "out_of_turn") throw new AppError("conflict", "begin a new stream");
    return c.json({});
  });

  app.post("/:owner/return", async (c) => {
    const owner = await ownerOf(c);
    const given = await host.giveBack(owner, parseInput(ReturnRequest, await c.req.json()));
    if (given === null) throw new AppError("conflict", "this term's return is not known here");
    return c.json(given);
  });

  app.post("/:owner/returned", async (c) => {
    await host.seeOff(await ownerOf(c), parseInput(ReturnRequest, await c.req.json()));
    return c.json({});
  });

  return app;
};
