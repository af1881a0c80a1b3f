import { describe, expect, test } from "vitest";
import { MAX_SIZE, planPorts, portsOf } from "./port-plan.ts";

describe("the port plan", () => {
  test("without a base everything has the ports that the README names", () => {
    const plan = planPorts({ cells: 2, pops: 2, controls: 1 });
    expect(plan).toMatchObject({ routers: [8787, 8793], controls: [8788, 8792], sqld: 8789, kv: 8791 });
    expect(plan.cells).toEqual([
      { http: 8800, mqtt: 1884, mqtts: 8884 },
      { http: 8801, mqtt: 1885, mqtts: 8885 },
    ]);
  });

  test.each([undefined, 20_000])("the largest lab uses no port twice (base %s)", (base) => {
    const ports = portsOf(planPorts(MAX_SIZE, base)).map(({ port }) => port);
    expect(new Set(ports).size).toBe(ports.length);
    expect(ports.length).toBe(MAX_SIZE.pops + 5 + 3 * MAX_SIZE.cells);
  });

  test("with a base the largest lab stays within 90 ports", () => {
    const ports = portsOf(planPorts(MAX_SIZE, 20_000)).map(({ port }) => port);
    expect(Math.min(...ports)).toBe(20_000);
    expect(Math.max(...ports)).toBeLessThanOrEqual(20_089);
  });
});
