import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Stamp } from "#schema/domain/merge.ts";
import { type Json, mergeReported, NOTHING_REPORTED, type Reported, readReported, report } from "#schema/domain/reported.ts";

type JsonObject = { readonly [name: string]: Json };
const isObject = (value: Json | undefined): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

/** The reference: RFC 7396, section 2, as it stands there. */
const mergePatch = (target: Json | undefined, patch: Json): Json => {
  if (!isObject(patch)) return patch;
  const result: Record<string, Json> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
};

const anyName = fc.constantFrom("a", "b", "a/b", "~");
const { patch: anyPatch } = fc.letrec<{ value: Json; patch: JsonObject }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, fc.constantFrom<Json>(null, 0, "x", [1]), tie("patch")),
  patch: fc.dictionary(anyName, tie("value"), { maxKeys: 3 }),
}));
const anyStamp: fc.Arbitrary<Stamp> = fc.record({ boot: fc.integer({ min: 1, max: 3 }), seq: fc.integer({ min: 1, max: 9 }) });

type Said = { readonly patch: JsonObject; readonly stamp: Stamp };
/** What a vehicle said, each under a stamp of its own. */
const anySpeech: fc.Arbitrary<Said[]> = fc.uniqueArray(fc.record({ patch: anyPatch, stamp: anyStamp }), {
  selector: ({ stamp }) => `${stamp.boot}.${stamp.seq}`,
  maxLength: 6,
});
const hear = (speech: readonly Said[]): Reported =>
  speech.reduce((known, { patch, stamp }) => report(known, patch, stamp), NOTHING_REPORTED);
const inOrder = (speech: readonly Said[]): Json =>
  [...speech]
    .sort((a, b) => a.stamp.boot - b.stamp.boot || a.stamp.seq - b.stamp.seq)
    .reduce<Json>((document, { patch }) => mergePatch(document, patch), {});

describe("the reported document", () => {
  test("I7: whichever cell heard what, in whatever order and however often, the merge is what the vehicle said in its own order", () => {
    const anyHearing = anySpeech.chain((speech) =>
      fc.record({
        speech: fc.constant(speech),
        here: fc.subarray(speech),
        order: fc.shuffledSubarray(speech, { minLength: speech.length }),
      }),
    );
    fc.assert(
      fc.property(anyHearing, ({ speech, here, order }) => {
        const there = order.filter((said) => !here.includes(said));
        expect(readReported(mergeReported(hear(here), hear([...there, ...there])))).toEqual(inOrder(speech));
      }),
      { numRuns: 3_000 },
    );
  });

  test("merges in any order, any number of times", () => {
    const anyReported = anySpeech.map(hear);
    fc.assert(
      fc.property(anyReported, anyReported, anyReported, (a, b, c) => {
        expect(mergeReported(a, b)).toEqual(mergeReported(b, a));
        expect(mergeReported(mergeReported(a, b), c)).toEqual(mergeReported(a, mergeReported(b, c)));
        expect(mergeReported(a, a)).toEqual(a);
      }),
      { numRuns: 1_000 },
    );
  });

  test("survives its storage", () => {
    fc.assert(
      fc.property(anySpeech, (speech) => {
        const stored = JSON.parse(JSON.stringify(hear(speech))) as Reported;
        expect(readReported(stored)).toEqual(readReported(hear(speech)));
      }),
      { numRuns: 200 },
    );
  });

  test.each<[string, Json[], Json]>([
    ["nothing", [], {}],
    ["members come together", [{ door: { left: "shut" } }, { door: { right: "open" } }], { door: { left: "shut", right: "open" } }],
    ["null takes away", [{ door: { left: "shut" } }, { door: null }], {}],
    ["what was taken away does not come back", [{ door: { left: "shut" } }, { door: 1 }, { door: {} }], { door: {} }],
  ])("%s", (_, patches, expected) => {
    const speech = patches.map((patch, index) => ({ patch: patch as JsonObject, stamp: { boot: 1, seq: index } }));
    expect(readReported(hear(speech))).toEqual(expected);
    expect(readReported(hear([...speech].reverse()))).toEqual(expected);
  });
});
