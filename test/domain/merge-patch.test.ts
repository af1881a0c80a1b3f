import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { diffPatch, isDeeperThan, type JsonObject, mergePatch } from "#schema/domain/merge-patch.ts";
import type { Json } from "#schema/domain/reported.ts";

/** RFC 7396, appendix A, in its order. */
const VECTORS: readonly (readonly [Json, Json, Json])[] = [
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [
    ["a", "b"],
    ["c", "d"],
    ["c", "d"],
  ],
  [{ a: "b" }, ["c"], ["c"]],
  [{ a: "foo" }, null, null],
  [{ a: "foo" }, "bar", "bar"],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: "b", c: null }, { a: "b" }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

const { patch: anyPatch } = fc.letrec<{ value: Json; patch: JsonObject }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, fc.constantFrom<Json>(null, 0, "x", [1, null], [{}]), tie("patch")),
  patch: fc.dictionary(fc.constantFrom("a", "b", "__proto__", "a/b"), tie("value"), { maxKeys: 3, noNullPrototype: true }),
}));
const anyDocument = anyPatch.map((patch) => mergePatch({}, patch) as JsonObject);

describe("a merge patch", () => {
  test.each(VECTORS)("RFC 7396: %j patched with %j is %j", (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });

  test("the difference of two documents leads from the one to the other", () => {
    fc.assert(
      fc.property(anyDocument, anyDocument, (from, to) => {
        expect(mergePatch(from, diffPatch(from, to))).toEqual(to);
      }),
    );
  });

  test("equal documents differ by nothing", () => {
    fc.assert(
      fc.property(anyDocument, (document) => {
        expect(diffPatch(document, document)).toEqual({});
      }),
    );
  });

  test("a member named __proto__ is a member, and no prototype", () => {
    const patched = mergePatch({}, JSON.parse('{"__proto__": {"isAdmin": true}}')) as JsonObject;
    expect(JSON.stringify(patched)).toBe('{"__proto__":{"isAdmin":true}}');
    expect(Reflect.get(patched, "isAdmin")).toBeUndefined();
  });

  test("depth is told without recursion", () => {
    const nested = (depth: number): Json => JSON.parse(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`) as Json;
    expect(isDeeperThan(nested(16), 16)).toBe(false);
    expect(isDeeperThan(nested(17), 16)).toBe(true);
    expect(isDeeperThan(nested(4_000), 16)).toBe(true);
    expect(isDeeperThan([[[]]], 2)).toBe(true);
  });
});
