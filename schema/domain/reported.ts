import { compareStamps, type Stamp } from "./merge.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/**
 * What the vehicle last said at one place of its reported document: a value, that it is gone, or that it is an object, whose members stand for themselves.
 * `cut` is when this place last was no object: what was said below it before is void.
 */
type Place = { readonly said: Stamp; readonly is: "value" | "gone" | "object"; readonly value: Json; readonly cut: Stamp | null };

/**
 * A reported document as last-writer-wins registers by place (JSON Pointer, RFC 6901), each with the vehicle's own stamp. Two cells that heard different
 * patches of one vehicle merge to what one cell would have that had heard them all, in the vehicle's order.
 */
export type Reported = Readonly<Record<string, Place>>;

export const NOTHING_REPORTED: Reported = {};

const laterStamp = (a: Stamp | null, b: Stamp | null): Stamp | null => {
  if (a === null || b === null) return a ?? b;
  return compareStamps(a, b) >= 0 ? a : b;
};

const textOf = ({ is, value }: Place): string => `${is} ${JSON.stringify(value)}`;

const laterPlace = (a: Place | undefined, b: Place): Place => {
  if (a === undefined) return b;
  const order = compareStamps(a.said, b.said) || (textOf(a) >= textOf(b) ? 1 : -1);
  return { ...(order > 0 ? a : b), cut: laterStamp(a.cut, b.cut) };
};

/** Merges two accounts of one vehicle: in any order, any number of times, with the same result. */
export const mergeReported = (a: Reported, b: Reported): Reported => {
  const merged: Record<string, Place> = { ...a };
  for (const [pointer, place] of Object.entries(b)) merged[pointer] = laterPlace(merged[pointer], place);
  return merged;
};

const isObject = (value: Json): value is { readonly [name: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const escapeName = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");
const unescapeName = (token: string): string => token.replaceAll("~1", "/").replaceAll("~0", "~");

const placesOf = (pointer: string, patch: Json, said: Stamp): [string, Place][] => {
  if (!isObject(patch)) return [[pointer, { said, is: patch === null ? "gone" : "value", value: patch, cut: said }]];
  const members = Object.entries(patch).flatMap(([name, member]) => placesOf(`${pointer}/${escapeName(name)}`, member, said));
  return [[pointer, { said, is: "object", value: null, cut: null }], ...members];
};

/** Takes a merge patch (RFC 7396) that the vehicle sent under this stamp; late and repeated ones take their place in the vehicle's order. */
export const report = (reported: Reported, patch: Json, said: Stamp): Reported =>
  mergeReported(reported, Object.fromEntries(placesOf("", patch, said)));

/** Members by the pointer of their object. */
const membersOf = (reported: Reported): Map<string, string[]> => {
  const members = new Map<string, string[]>();
  for (const pointer of Object.keys(reported).sort()) {
    if (pointer === "") continue;
    const parent = pointer.slice(0, pointer.lastIndexOf("/"));
    members.set(parent, [...(members.get(parent) ?? []), pointer]);
  }
  return members;
};

/** The reported document; an empty object when nothing was said. */
export const readReported = (reported: Reported): Json => {
  const members = membersOf(reported);
  const read = (pointer: string, cut: Stamp | null): Json | undefined => {
    const place = reported[pointer];
    if (place === undefined || (cut !== null && compareStamps(place.said, cut) <= 0) || place.is === "gone") return undefined;
    if (place.is === "value") return place.value;
    const below = laterStamp(cut, place.cut);
    const entries = (members.get(pointer) ?? []).flatMap((member): [string, Json][] => {
      const value = read(member, below);
      return value === undefined ? [] : [[unescapeName(member.slice(pointer.length + 1)), value]];
    });
    return Object.fromEntries(entries);
  };
  return read("", null) ?? {};
};
