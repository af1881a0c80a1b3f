import { describe, expect, test } from "vitest";
import { parseDevOptions } from "./dev-options.ts";

describe("the options of npm run dev", () => {
  test("defaults: 2 cells, 1 POP, 1 control-worker, .lab, the usual ports", () => {
    expect(parseDevOptions([])).toEqual({ cells: 2, pops: 1, controls: 1, dataDir: ".lab", portBase: undefined });
  });

  test("each option is taken", () => {
    const argv = ["--cells", "3", "--pops", "2", "--controls=2", "--data", "/tmp/x", "--port-base", "20000"];
    expect(parseDevOptions(argv)).toEqual({ cells: 3, pops: 2, controls: 2, dataDir: "/tmp/x", portBase: 20_000 });
    expect(parseDevOptions(["--help", "--cells", "0"])).toBe("help");
  });

  test.each([
    [["--cells", "0"], "--cells takes a whole number from 1 to 20"],
    [["--cells", "2.5"], "--cells"],
    [["--pops", "9"], "--pops takes a whole number from 1 to 8"],
    [["--controls", "3"], "--controls"],
    [["--port-base", "65500"], "--port-base"],
    [["--cellls", "2"], "--cellls"],
    [["stop"], "stop"],
  ])("%j is refused with its name", (argv, message) => {
    expect(() => parseDevOptions(argv)).toThrow(message);
  });
});
