import { ACTIVITIES, type ActivityReport } from "./activity.ts";
import { compareStamps, type Desired, type DesiredVersion, type Stamp } from "./merge.ts";
import { diffPatch, isDeeperThan, isJsonObject, type JsonObject, mergePatch } from "./merge-patch.ts";
import { type Json, NOTHING_REPORTED, type Reported, readReported, report } from "./reported.ts";

export const TWIN_LIMITS = { documentLength: 32 * 1024, depth: 16, lostPlaces: 256 } as const;

/** Which version of the desired document; terms first, as in `mergeDesired`. */
export type DesiredId = Pick<DesiredVersion, "term" | "version">;

/** A twin as the cell that serves the vehicle has it. Times are ms since the epoch. */
export type Twin = {
  readonly reported: Reported;
  /** The last report; boot 0 when the vehicle does not number what it says, and the cell orders it by arrival. */
  readonly last: (Stamp & { readonly at: number }) | null;
  readonly activity: ActivityReport | null;
  /** The desired version that the vehicle says it has. */
  readonly held: DesiredId | null;
  readonly desired: DesiredVersion;
};

export const NO_DESIRED: DesiredVersion = { term: 0, version: 0, document: "{}" };
export const EMPTY_TWIN: Twin = { reported: NOTHING_REPORTED, last: null, activity: null, held: null, desired: NO_DESIRED };

type Misfit = { readonly kind: "misfit"; readonly reason: string };
const misfit = (reason: string): Misfit => ({ kind: "misfit", reason });

const isCount = (value: Json | undefined): value is number => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

const parseStamp = (value: Json | undefined): Stamp | null => {
  if (!isJsonObject(value)) return null;
  const { boot, seq } = value;
  return isCount(boot) && boot > 0 && isCount(seq) ? { boot, seq } : null;
};

const parseHeld = (value: Json | undefined): DesiredId | null => {
  if (!isJsonObject(value)) return null;
  const { term = 0, version } = value;
  return isCount(term) && isCount(version) ? { term, version } : null;
};

const stampOf = ({ last }: Twin, said: Json | undefined, nowMs: number): Stamp | null => {
  if (said !== undefined) return parseStamp(said);
  if (last === null) return { boot: 0, seq: nowMs };
  return last.boot === 0 ? { boot: 0, seq: Math.max(nowMs, last.seq + 1) } : null;
};

const activityIn = (patch: JsonObject, at: number): ActivityReport | null => {
  const activity = ACTIVITIES.find((candidate) => candidate === patch["activity"]);
  return activity === undefined ? null : { activity, at };
};

const parentsOf = (pointer: string): string[] => {
  const tokens = pointer.split("/").slice(0, -1);
  return tokens.map((_, index) => tokens.slice(0, index + 1).join("/"));
};

/**
 * Drops what is remembered of places that are gone, the oldest first, beyond `lostPlaces`: a report that comes later than 256 removals after it was sent may
 * bring its member back. Without this a vehicle whose member names change would grow its twin for ever.
 */
const trimLost = (reported: Reported): Reported => {
  if (Object.keys(reported).length <= TWIN_LIMITS.lostPlaces) return reported;
  const isVoid = (pointer: string, said: Stamp): boolean =>
    parentsOf(pointer).some((parent) => {
      const cut = reported[parent]?.cut ?? null;
      return cut !== null && compareStamps(said, cut) <= 0;
    });
  const lost = Object.entries(reported).filter(([pointer, { is, said }]) => pointer !== "" && (is === "gone" || isVoid(pointer, said)));
  if (lost.length <= TWIN_LIMITS.lostPlaces) return reported;
  const oldest = lost.sort(([, a], [, b]) => compareStamps(a.said, b.said)).slice(0, lost.length - TWIN_LIMITS.lostPlaces);
  const dropped = new Set(oldest.map(([pointer]) => pointer));
  return Object.fromEntries(Object.entries(reported).filter(([pointer]) => !dropped.has(pointer)));
};

export type Taken = { readonly kind: "taken"; readonly twin: Twin; readonly stamp: Stamp; readonly wantsDesired: boolean };

/**
 * Takes what a vehicle reports: a merge patch (RFC 7396), and beside it, no part of the document, `$stamp: {boot, seq}`, the vehicle's own order, boot >= 1, and
 * `$desired: {term, version}`, the desired version that it has, or null when it has none and wants the whole. A vehicle that numbers its reports numbers all.
 */
export const takeReport = (twin: Twin, payload: JsonObject, nowMs: number): Taken | Misfit => {
  if (isDeeperThan(payload, TWIN_LIMITS.depth)) return misfit(`a twin is nested ${TWIN_LIMITS.depth} deep at most`);
  const { $stamp, $desired, ...patch } = payload;
  const stamp = stampOf(twin, $stamp, nowMs);
  if (stamp === null) return misfit("$stamp: {boot, seq}, integers, boot at least 1, in every report once in one");
  const held = $desired === undefined ? twin.held : parseHeld($desired);
  if (held === null && $desired !== undefined && $desired !== null) return misfit("$desired: {term, version}, or null");
  const reported = trimLost(report(twin.reported, patch, stamp));
  if (JSON.stringify(readReported(reported)).length > TWIN_LIMITS.documentLength)
    return misfit(`a reported document has ${TWIN_LIMITS.documentLength} characters at most`);
  const isLatest = twin.last === null || compareStamps(stamp, twin.last) >= 0;
  const saysActivity = isLatest && Object.hasOwn(patch, "activity");
  return {
    kind: "taken",
    twin: {
      ...{ reported, held, desired: twin.desired },
      last: isLatest ? { ...stamp, at: nowMs } : twin.last,
      activity: saysActivity ? activityIn(patch, nowMs) : twin.activity,
    },
    stamp,
    wantsDesired: $desired === null,
  };
};

export type Patched = { readonly kind: "patched"; readonly next: DesiredVersion } | { readonly kind: "unchanged" } | Misfit;

/** The next version of a desired document; a patch that changes nothing makes none. `term` is the writer's: it never falls. */
export const patchDesired = (current: DesiredVersion, patch: JsonObject, term: number): Patched => {
  if (isDeeperThan(patch, TWIN_LIMITS.depth)) return misfit(`a twin is nested ${TWIN_LIMITS.depth} deep at most`);
  const document = JSON.stringify(mergePatch(JSON.parse(current.document) as Json, patch));
  if (document === current.document) return { kind: "unchanged" };
  if (document.length > TWIN_LIMITS.documentLength)
    return misfit(`a desired document has ${TWIN_LIMITS.documentLength} characters at most`);
  return { kind: "patched", next: { term: Math.max(term, current.term), version: current.version + 1, document } };
};

/** Payload of `v1/{vin}/twin/desired`: the whole document, or what leads to it from a version that the vehicle has. */
export type DesiredMessage = DesiredId & ({ readonly document: JsonObject } | { readonly from: DesiredId; readonly patch: JsonObject });

const documentOf = ({ document }: DesiredVersion): JsonObject => JSON.parse(document) as JsonObject;

/** What a vehicle is to be told that has `held`; the whole document when that version is not known any more. */
export const desiredMessageFor = ({ current, history }: Desired, held: DesiredId | null): DesiredMessage => {
  const { term, version } = current;
  const known = [current, ...history, NO_DESIRED].filter((each) => each.term === held?.term && each.version === held.version);
  const [from] = known;
  if (from === undefined || known.some(({ document }) => document !== from.document))
    return { term, version, document: documentOf(current) };
  const patch = diffPatch(documentOf(from), documentOf(current));
  return { term, version, from: { term: from.term, version: from.version }, patch };
};
