import type { Json } from "./reported.ts";

export type JsonObject = { readonly [name: string]: Json };

export const isJsonObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Applies a merge patch: RFC 7396, section 2. Nothing of the target is changed; a member named `__proto__` is a member like any other. */
export const mergePatch = (target: Json | undefined, patch: Json): Json => {
  if (!isJsonObject(patch)) return patch;
  const members = new Map(Object.entries(isJsonObject(target) ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) members.delete(name);
    else members.set(name, mergePatch(members.get(name), value));
  }
  return Object.fromEntries(members);
};

const ownMember = (of: JsonObject, name: string): Json | undefined => (Object.hasOwn(of, name) ? of[name] : undefined);

const isSame = (a: Json | undefined, b: Json): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The merge patch that makes `to` of `from`, for objects whose members are never null: every object that patches have made is such. */
export const diffPatch = (from: JsonObject, to: JsonObject): JsonObject => {
  const gone = Object.keys(from).flatMap((name): [string, Json][] => (Object.hasOwn(to, name) ? [] : [[name, null]]));
  const changed = Object.entries(to).flatMap(([name, value]): [string, Json][] => {
    const before = ownMember(from, name);
    if (isSame(before, value)) return [];
    if (!isJsonObject(before) || !isJsonObject(value)) return [[name, value]];
    const inner = diffPatch(before, value);
    return Object.keys(inner).length === 0 ? [] : [[name, inner]];
  });
  return Object.fromEntries([...gone, ...changed]);
};

/** Whether objects and arrays are nested deeper than `limit`. Does not recurse: what it reads is not trusted yet. */
export const isDeeperThan = (value: Json, limit: number): boolean => {
  let level: readonly Json[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const inner = level.flatMap((each) => (typeof each === "object" && each !== null ? [Object.values(each)] : []));
    if (inner.length > 0 && depth >= limit) return true;
    level = inner.flat();
  }
  return false;
};
