import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { environment, type Scope } from "../../../cell-node/rules/cel.ts";
import { compileExpression, isExpressionFault } from "../../../cell-node/rules/expression.ts";
import { compileFast } from "../../../cell-node/rules/fast-path/conditions.ts";

const scopeWith = (data: unknown): Scope => ({
  ...{ data, channel: "telemetry", vin: "WVWZZZ1JZXW000001", vinKey: "k", receivedAt: new Date(0), derived: {} },
});

const compile = (source: string) => {
  const compiled = compileExpression(source);
  if (isExpressionFault(compiled)) throw new Error(compiled.detail);
  return compiled;
};
const run = (source: string, data: unknown = {}) => compile(source).run(scopeWith(data), JSON.stringify(data).length);
const refused = (source: string): string => {
  const compiled = compileExpression(source);
  if (!isExpressionFault(compiled)) throw new Error(`${source} was accepted`);
  return compiled.detail;
};

describe("expressions", () => {
  test.each([
    ["data.speedKmh > 120.0 && data.gear == 'D'", { speedKmh: 130, gear: "D" }, true],
    ["data.speedKmh > 120", { speedKmh: 120 }, false],
    ["data.cells.exists(v, v < 2.5)", { cells: [3.1, 2.4] }, true],
    ["data.cells.filter(v, v < 2.5).size()", { cells: [3.1, 2.4] }, 1n],
    ["{'soc': data.soc * 2.0, 'at': receivedAt}", { soc: 4 }, { soc: 8, at: new Date(0) }],
    ["channel + ' of ' + vinKey", {}, "telemetry of k"],
    ["data.code.matches('^P0[0-9]{3}$')", { code: "P0420" }, true],
    ["has(data.position.lat) ? data.position.lat : 0.0", { position: {} }, 0],
    ["receivedAt.getHours() == 0", {}, true],
  ])("%s", (source, data, value) => {
    expect(run(source, data)).toEqual({ kind: "value", value });
  });

  test.each([
    ["data.speedKmh > 120", {}],
    ["data.speedKmh > 120", { speedKmh: "fast" }],
    ["data.a.b.c == 1", { a: 1 }],
    ["data.list[3] == 1", { list: [] }],
    ["data.soc + 'x' == ''", { soc: 1 }],
    ["data.toString == 1", {}],
  ])("%s on %j has no value, and says so without a throw", (source, data) => {
    expect(run(source, data)).toMatchObject({ kind: "fails" });
  });

  test.each([
    ["data.speedKmh >", "a text that is no expression"],
    ["nobody > 1", "an unknown name"],
    ["vin + 1 == ''", "types that do not fit"],
    ["cel.bind(x, data, x) == data", "bind, which doubles"],
    ["['a','b'].join('') == ''", "join, which grows"],
    ["b'abc'.json() == data", "bytes"],
    ["data.text.contains(data.other)", "a search for what the message says"],
    ["data.text.matches(data.pattern)", "a pattern that the message brings"],
    [`data.text.contains('${"a".repeat(129)}')`, "a long text to search for"],
    ["data.all(a, data.all(b, data.all(c, a == 1.0)))", "three loops, each in the other"],
    ["data.map(a, [a, a]).map(b, [b, b]).map(c, [c, c]) == data", "values that grow with each step"],
    [`${"(".repeat(60)}1${")".repeat(60)} == 1`, "depth"],
    [`${"data.a == 1 || ".repeat(120)}true`, "size"],
    [`[${"1,".repeat(100)}1].size() == 1`, "a long list"],
  ])("%s is refused when it is saved: %s", (source) => {
    expect(refused(source).length).toBeGreaterThan(5);
  });

  test("a hostile pattern is stopped, and the expression works again afterwards", () => {
    const evil = compile("data.text.matches('^(a+)+$')");
    const runWith = (text: string) => evil.run(scopeWith({ text }), text.length);
    expect(runWith(`${"a".repeat(40)}b`)).toEqual({ kind: "timeout" });
    expect(runWith("aaa")).toEqual({ kind: "value", value: true });
  });

  test("loops in loops over a large message are stopped", () => {
    const nested = compile("data.l.all(a, data.l.all(b, a + b > 0.0))");
    const l = Array.from({ length: 20_000 }, () => 1);
    expect(nested.run(scopeWith({ l }), 40_006)).toEqual({ kind: "timeout" });
    expect(nested.run(scopeWith({ l: [1, 2] }), 11)).toEqual({ kind: "value", value: true });
  });
});

describe("the shortcut for simple conditions", () => {
  const names = ["a", "b", "toString"];
  const path = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }).map((parts) => `data.${parts.join(".")}`);
  const literal = fc.oneof(
    fc.integer({ min: -3, max: 3 }).map(String),
    fc.constantFrom("0.5", "-1.5", "2.0", "1e3", "'x'", "''", "true", "false", "9007199254740993"),
  );
  const term = fc.oneof(
    fc.tuple(path, fc.constantFrom("==", "!=", "<", "<=", ">", ">="), literal, fc.boolean()).map(([field, op, value, isMirrored]) => {
      return isMirrored ? `${value} ${op} ${field}` : `${field} ${op} ${value}`;
    }),
    path.map((field) => `has(${field})`),
    fc
      .tuple(
        path,
        fc.constantFrom("+", "-", "*", "/"),
        fc.oneof(path, fc.constantFrom("2.0", "0.0", "2")),
        fc.constantFrom("<", ">="),
        path,
      )
      .map((parts) => parts.join(" ")),
    fc.constant("true"),
  );
  const onItem = fc.oneof(
    fc.tuple(fc.constantFrom("x", "x.a", "x.b.a"), fc.constantFrom("==", "<", ">="), literal).map((parts) => parts.join(" ")),
    fc.constantFrom("has(x.a)", "!(x > 1)", "x < 1 || x == 2", "true"),
  );
  const loop = fc.tuple(path, fc.constantFrom("exists", "all"), onItem).map(([field, name, body]) => `${field}.${name}(x, ${body})`);
  const join = (terms: string[], ops: string[]) => terms.reduce((left, right, index) => `(${left}) ${ops[index] ?? "&&"} ${right}`);
  const negated = fc.tuple(fc.boolean(), fc.oneof(term, loop)).map(([isNegated, one]) => (isNegated ? `!(${one})` : one));
  const source = fc
    .tuple(fc.array(negated, { minLength: 1, maxLength: 4 }), fc.array(fc.constantFrom("&&", "||"), { maxLength: 4 }))
    .map(([terms, ops]) => join(terms, ops));
  const leaf = fc.constantFrom<unknown>(
    -2,
    0,
    0.5,
    1,
    2,
    "x",
    "",
    true,
    false,
    null,
    [],
    [1],
    [0, 2, "x"],
    [{ a: 1 }, { b: { a: 2 } }],
    {},
  );
  const map = (inner: fc.Arbitrary<unknown>) => fc.dictionary(fc.constantFrom(...names), inner, { maxKeys: 3, noNullPrototype: true });
  const message = fc.oneof(map(fc.oneof(leaf, map(fc.oneof(leaf, map(leaf))))), fc.constantFrom<unknown>([], [1], [{ a: 1 }]));

  test("never says anything but what the library says", () => {
    let [shortcuts, answers] = [0, 0];
    fc.assert(
      fc.property(source, message, (text, data) => {
        const program = environment.parse(text);
        const fast = compileFast(program.ast);
        if (fast === null) return;
        shortcuts += 1;
        if (!program.check().valid) return;
        let expected: unknown;
        try {
          expected = String(program(scopeWith(data)));
        } catch {
          expected = "fails";
        }
        const said = fast(data);
        if (said === "unsure") return;
        answers += 1;
        expect(said).toBe(expected);
      }),
      { numRuns: 8_000 },
    );
    expect(shortcuts).toBeGreaterThan(1_500);
    expect(answers).toBeGreaterThan(600);
  });

  test("is taken for the usual conditions, and for no others", () => {
    for (const usual of [
      "data.a > 1",
      "has(data.a.b) && data.a.b == 'x' && -1.5 <= data.c",
      "!(data.a == 1) || data.l.all(x, x > 0.0)",
      "data.a > data.b / 2.0",
      "true",
    ])
      expect(compile(usual).fast).not.toBeNull();
    for (const other of [
      "data.a == data.b",
      "data.a * 2 > 1.0",
      "data.l.exists(x, x > data.a)",
      "data.l.exists_one(x, x > 1)",
      "data.l[0] > 1",
      "data.s > 'a'",
      "channel == 'x'",
    ]) {
      expect(compile(other).fast).toBeNull();
    }
  });
});
