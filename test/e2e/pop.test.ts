import { type ChildProcess, spawn } from "node:child_process";
import { truncateSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { RouteAnswer } from "#schema/api/route.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { NODE, ROOT } from "../lab/paths.ts";
import { isRuntimeInstalled, POP_RUNTIMES, type PopRuntime } from "../lab/pop-runtimes.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { admitted, refused } from "./support/mqtt.ts";
import { until } from "./support/until.ts";
import { freshVin } from "./support/vins.ts";
import { createWorld, problemOf, type World } from "./support/world.ts";

const WITHIN_MS = 30_000;

let lab: Lab;
let world: World;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  lab = await startLab();
  world = await createWorld(lab.file);
});
afterAll(() => lab?.stop());

const stop = async (child: ChildProcess): Promise<void> => {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  running.delete(child);
  child.kill("SIGTERM");
  await ended;
};
afterEach(async () => {
  for (const child of running) await stop(child);
});

/** `npm run pop` on a runtime, as a process of its own. */
const startPop = (runtime: PopRuntime) => {
  const args = [join(ROOT, "test/lab/pop.ts"), "--runtime", runtime, "--lab", lab.dataDir, "--port", "0"];
  const child = spawn(NODE, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const urlNow = () => `http://127.0.0.1:${/"message":"listening".*"port":(\d+)/.exec(output)?.[1] ?? "none"}`;
  return {
    output: () => output,
    stop: () => stop(child),
    file: join(lab.dataDir, "pops", `pop-${runtime}`, "replica.gz"),
    untilReady: () => until(`${runtime} is ready`, WITHIN_MS, async () => (await world.health(urlNow())) === 200),
    async ask(vin: Vin) {
      const headers = { Authorization: `Bearer ${await world.deviceToken(vin)}` };
      const response = await fetch(`${urlNow()}/v1/route`, { headers });
      return { status: response.status, headers: response.headers, body: (await response.json()) as unknown };
    },
  };
};

const untilAnswered = (pop: ReturnType<typeof startPop>, vin: Vin): Promise<RouteAnswer> =>
  until(`${vin} at the POP`, WITHIN_MS, async () => {
    const { status, body } = await pop.ask(vin);
    return status === 200 && RouteAnswer.parse(body);
  });

describe.each(POP_RUNTIMES)("a self-hosted POP on %s", (runtime) => {
  test.skipIf(!isRuntimeInstalled(runtime))(
    "joins, gives tickets that cells admit, places unknown vehicles, starts from its file without control, and recovers from a truncated one",
    async () => {
      const known = freshVin();
      const { cell, epoch } = await world.resolve(known);
      const pop = startPop(runtime);
      await pop.untilReady();
      expect(await untilAnswered(pop, known)).toMatchObject({ cell, epoch });

      const placed = freshVin();
      const { cell: home, ticket } = await untilAnswered(pop, placed);
      await world.untilSynced(placed, home);
      const login = { url: world.cellOf(home).mqtt, vin: placed, password: ticket };
      await until("the cell knows the POP's key", WITHIN_MS, async () => {
        const client = await admitted(login);
        client.end(true);
        return true;
      });
      await pop.stop();

      await lab.process("control").kill();
      await lab.process("sqld").kill();
      const alone = startPop(runtime);
      await alone.untilReady();
      for (const vin of [known, placed]) expect((await alone.ask(vin)).status, vin).toBe(200);
      expect(problemOf(await alone.ask(freshVin()))).toMatchObject({ code: "placement_unavailable", retryable: true });
      await alone.stop();

      await lab.process("sqld").start();
      await lab.process("control").start();
      truncateSync(alone.file, 200);
      const anew = startPop(runtime);
      await anew.untilReady();
      expect(anew.output()).toContain("last-known-good refused");
      expect(await untilAnswered(anew, known)).toMatchObject({ cell, epoch });
    },
  );
});

test("a POP that was removed is refused by control within seconds, and its tickets by cells with their next view", async () => {
  const pop = startPop("node");
  await pop.untilReady();
  const vin = freshVin();
  const { cell, ticket } = await untilAnswered(pop, vin);
  expect((await world.admin("DELETE", "/v1/pops/pop-node")).status).toBe(200);
  await until("the feed refuses it", WITHIN_MS, () => pop.output().includes("the feed is away"));
  const login = { url: world.cellOf(cell).mqtt, vin, password: ticket };
  const { code } = await until("the cell refuses its ticket", WITHIN_MS, () => refused(login));
  expect(code).toBe(0x86);
});
