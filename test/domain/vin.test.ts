import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkDigitOf, hasValidCheckDigit, isVin, modelYearOf, parseVin, type VinFault } from "#schema/domain/vin.ts";
import { MARKETS, type Market } from "#schema/domain/wmi.ts";
import { vin } from "./samples.ts";

/** What parsing says: "ok" or the fault. */
const verdictOf = (input: string, market?: Market): "ok" | VinFault["fault"] => {
  const parsed = parseVin(input, market);
  return isVin(parsed) ? "ok" : parsed.fault;
};

const FULL_WIDTH = "ＷＶＷＺＺＺ１ＪＺ３Ｗ３８６７５２";

describe("parseVin", () => {
  test.each([
    ["US motor coach of 49 CFR 565's textbook example", "1M8GDM9AXKP042788", "ok"],
    ["all ones: right check digit, yet no vehicle", "11111111111111111", "uniform"],
    ["European VIN whose ninth digit is no check digit", "WVWZZZ1JZ3W386752", "ok"],
    ["Chinese VIN with its check digit", "LRW3E7FA8LC012345".replace(/^(.{8})./, `$1${checkDigitOf("LRW3E7FA8LC012345")}`), "ok"],
    ["Japanese maker: no check digit required", "JN1AZ34D03M100001", "ok"],
    ["16 characters", "WVWZZZ1JZ3W38675", "length"],
    ["18 characters", "WVWZZZ1JZ3W3867522", "length"],
    ["empty", "", "length"],
    ["letter I", "WVWZZZIJZ3W386752", "characters"],
    ["letter O", "WVWZZZOJZ3W386752", "characters"],
    ["letter Q", "WVWZZZQJZ3W386752", "characters"],
    ["lower case", "wvwzzz1jz3w386752", "characters"],
    ["full-width characters", FULL_WIDTH, "characters"],
    ["Cyrillic look-alike", "WVWZZZ1JZ3W38675А", "characters"],
    ["surrogate pairs: 17 code points, 34 code units", "🚗".repeat(17), "characters"],
    ["a lone surrogate", "WVWZZZ1JZ3W38675\ud800", "characters"],
    ["newline at the end, as the 18th", "WVWZZZ1JZ3W386752\n", "length"],
    ["newline at the end, as the 17th", "WVWZZZ1JZ3W38675\n", "characters"],
    ["NUL inside", "WVWZZZ1JZ3W3867\u00002", "characters"],
    ["spaces around", " WVWZZZ1JZ3W3867 ", "characters"],
    ["one letter repeated", "WWWWWWWWWWWWWWWWW", "uniform"],
    ["US VIN with a wrong check digit", "1M8GDM9A0KP042788", "check_digit"],
    ["US Tesla of the 7F to 70 block with a wrong check digit", "7SAYGDEE0NF000001", "check_digit"],
    ["Chinese VIN with a wrong check digit", "LRW3E7FAXLC012345", "check_digit"],
    ["Chinese VIN of the H block with a wrong check digit", "HESXR1C40PS000001", "check_digit"],
  ] as const)("%s", (_, input, verdict) => {
    expect(verdictOf(input)).toBe(verdict);
  });

  const EUROPEAN = "WVWZZZ1JZ3W386752";
  const CHINESE = "LRW3E7FAXLC012345";
  test.each([
    ["a European maker's car sold in North America needs the check digit", EUROPEAN, "na", "check_digit"],
    ["a European maker's car sold in China needs the check digit", EUROPEAN, "cn", "check_digit"],
    ["a European maker's car sold at home does not", EUROPEAN, "eu", "ok"],
    ["a European maker's car sold elsewhere does not", EUROPEAN, "other", "ok"],
    ["no market waives what a Chinese code demands", CHINESE, "eu", "check_digit"],
  ] as const)("%s", (_, input, market, verdict) => {
    expect(verdictOf(input, market)).toBe(verdict);
  });

  test("the fault says which check digit is right", () => {
    expect(parseVin("1M8GDM9A0KP042788")).toMatchObject({ fault: "check_digit", detail: 'position 9 is "0", the check digit is "X"' });
  });

  const anyText = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[A-HJ-NPR-Z0-9]{17}$/),
    fc.string({ unit: "binary", minLength: 17, maxLength: 17 }),
  );

  test("is total, and accepts only 17 characters of the alphabet", () => {
    fc.assert(
      fc.property(anyText, fc.option(fc.constantFrom(...MARKETS), { nil: undefined }), (input, market) => {
        if (verdictOf(input, market) === "ok") expect(input).toMatch(/^[A-HJ-NPR-Z0-9]{17}$/);
      }),
      { numRuns: 5_000 },
    );
  });

  test("what one market accepts every other program reads again without knowing the market", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-HJ-NPR-Z0-9]{17}$/), fc.constantFrom(...MARKETS), (text, market) => {
        const input = `${text.slice(0, 8)}${checkDigitOf(text)}${text.slice(9)}`;
        if (verdictOf(input, market) === "ok") expect(verdictOf(input)).toBe("ok");
        if (verdictOf(text, market) === "ok") expect(verdictOf(text)).toBe("ok");
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("the check digit", () => {
  test.each([
    ["1M8GDM9AXKP042788", "X"],
    ["11111111111111111", "1"],
    ["5GZCZ43D13S812715", "1"],
  ])("of %s is %s", (input, digit) => {
    expect(checkDigitOf(input)).toBe(digit);
  });

  test("is noted where it is not required", () => {
    expect(hasValidCheckDigit(vin("1M8GDM9AXKP042788"))).toBe(true);
    expect(hasValidCheckDigit(vin("WVWZZZ1JZ3W386752"))).toBe(false);
  });

  test("catches every single wrong character of another value", () => {
    const right = "1M8GDM9AXKP042788";
    for (let position = 0; position < right.length; position++) {
      const wrong = `${right.slice(0, position)}${right.charAt(position) === "2" ? "3" : "2"}${right.slice(position + 1)}`;
      const isSameValue = right.charAt(position) === "K";
      if (!isSameValue) expect(verdictOf(wrong, "na"), wrong).toBe("check_digit");
    }
  });
});

describe("modelYearOf", () => {
  test.each([
    ["North America, digit at position 7: before 2010", "1M8GDM9AXKP042788", 2026, 1989],
    ["North America, letter at position 7: from 2010", "7SAYGDEE3NF000001", 2026, 2022],
    ["Europe, digit code: the latest cycle that has begun", "WVWZZZ1JZ3W386752", 2026, 2003],
    ["Europe, letter code: the latest cycle that has begun", "WVWZZZ1JZKW386752", 2026, 2019],
    ["Europe, letter code, asked in 2018", "WVWZZZ1JZKW386752", 2018, 1989],
    ["position 10 codes no year", "WVWZZZ1JZ0W386752", 2026, null],
    ["before the code began", "WVWZZZ1JZKW386752", 1985, null],
  ])("%s", (_, input, latestYear, year) => {
    expect(modelYearOf(vin(input), latestYear)).toBe(year);
  });
});
