import { type Context, Hono } from "hono";
import { AppError, parseInput } from "#schema/api/error.ts";
import { DesiredPatch, type DesiredTwin, MERGE_PATCH_TYPE, type TwinAnswer, type TwinHistory } from "#schema/api/twin.ts";
import { activityAt } from "#schema/domain/activity.ts";
import { MAY_SET_DESIRED } from "#schema/domain/command-right.ts";
import { readReported } from "#schema/domain/reported.ts";
import type { DesiredId } from "#schema/domain/twin.ts";
import type { AdmissionContext } from "../admission/admit-vehicle.ts";
import type { Limits } from "../config.ts";
import type { DesiredRow } from "../store/store.ts";
import type { TwinDesk } from "../twin/twin-desk.ts";
import { jsonOf } from "./json-body.ts";
import { notYours, ownerOf } from "./owner.ts";
import { createPacing } from "./pacing.ts";

export type TwinRoutesContext = { readonly admission: AdmissionContext; readonly twins: TwinDesk; readonly limits: Limits };

/** Of the desired document: terms first. */
const etagOf = ({ term, version }: DesiredId): string => `"${term}.${version}"`;
const headersOf = (desired: DesiredId) => ({ ETag: etagOf(desired), "Cache-Control": "no-store" });

/** RFC 9110, section 13.1.1: `*`, or strong tags of which one has to be the version that holds. */
const conditionOf = (c: Context): ((desired: DesiredId) => boolean) => {
  const given = c.req.header("If-Match")?.trim() ?? "";
  if (given === "") throw new AppError("precondition_required", 'If-Match: the ETag of the desired twin, or "*"');
  if (given === "*") return () => true;
  const tags = given.split(",").map((tag) => tag.trim());
  return (desired) => tags.includes(etagOf(desired));
};

const timeOf = (ms: number | undefined | null): string | null => (ms === undefined || ms === null ? null : new Date(ms).toISOString());

const toDesired = ({ document, term, version }: DesiredId & { readonly document: string }, row: DesiredRow | undefined): DesiredTwin => ({
  ...{ document: JSON.parse(document), term, version },
  updatedAt: row?.term === term && row.version === version ? timeOf(row.changedAt) : null,
});

/** `GET …/twin`, `GET …/twin/desired`, `PATCH …/twin/desired` and `GET …/twin/history` under `/v1/vehicles/{vin}`. */
export const twinRoutes = ({ admission, twins, limits }: TwinRoutesContext): Hono => {
  const pace = createPacing("twin", { quota: limits.twinChanges, windowSeconds: limits.paceSeconds }, admission.clock);
  const app = new Hono();

  app.get("/:vin/twin", async (c) => {
    const { vehicle } = await ownerOf(admission, c);
    const [{ reported, last, activity, desired }, [row]] = await Promise.all([twins.read(vehicle), twins.history(vehicle)]);
    const answer: TwinAnswer = {
      vin: vehicle.vin,
      reported: {
        document: readReported(reported) as TwinAnswer["reported"]["document"],
        ...{ boot: last?.boot ?? 0, seq: last?.seq ?? 0, updatedAt: timeOf(last?.at) },
      },
      desired: toDesired(desired, row),
      activity: activityAt(activity, admission.clock.nowMs()),
    };
    return c.json(answer, 200, headersOf(desired));
  });

  app.get("/:vin/twin/desired", async (c) => {
    const { vehicle } = await ownerOf(admission, c);
    const [{ desired }, [row]] = await Promise.all([twins.read(vehicle), twins.history(vehicle)]);
    return c.json(toDesired(desired, row), 200, headersOf(desired));
  });

  app.patch("/:vin/twin/desired", async (c) => {
    const { vehicle, role, requestedBy } = await ownerOf(admission, c);
    if (!MAY_SET_DESIRED.includes(role)) throw notYours();
    if (c.req.header("Content-Type")?.split(";")[0]?.trim().toLowerCase() !== MERGE_PATCH_TYPE) {
      throw new AppError("unsupported_media_type", `Content-Type: ${MERGE_PATCH_TYPE}`, { headers: { "Accept-Patch": MERGE_PATCH_TYPE } });
    }
    const isExpected = conditionOf(c);
    const patch = parseInput(DesiredPatch, jsonOf(await c.req.text()));
    pace({ requestedBy, vehicle });
    const outcome = await twins.patchDesired(vehicle, { patch, isExpected: ({ desired }) => isExpected(desired), changedBy: requestedBy });
    if (outcome.kind === "misfit")
      throw new AppError("validation_failed", outcome.reason, { errors: [{ pointer: "", detail: outcome.reason }] });
    const { desired } = outcome.twin;
    if (outcome.kind === "unexpected") {
      throw new AppError("precondition_failed", "the desired twin has changed", { headers: { ETag: etagOf(desired) } });
    }
    const [row] = await twins.history(vehicle);
    return c.json(toDesired(desired, row), 200, headersOf(desired));
  });

  app.get("/:vin/twin/history", async (c) => {
    const { vehicle } = await ownerOf(admission, c);
    const rows = await twins.history(vehicle);
    const answer: TwinHistory = {
      items: rows.map((row) => ({ ...toDesired(row, row), changedBy: row.changedBy.split("\n").at(-1) ?? "" })),
      cursor: null,
    };
    return c.json(answer, 200, { "Cache-Control": "no-store" });
  });

  return app;
};
