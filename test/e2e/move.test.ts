import { afterAll, beforeAll, expect, test } from "vitest";
import { Campaign } from "#schema/api/campaigns.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { run } from "./support/run.ts";
import { until } from "./support/until.ts";
import { createWorld, type World } from "./support/world.ts";

let lab: Lab;
let world: World;

beforeAll(async () => {
  lab = await startLab({ cells: 4 });
  world = await createWorld(lab.file);
});
afterAll(() => lab?.stop());

const sessionsAt = async (cell: string): Promise<number> => {
  const text = await (await fetch(`${world.cellOf(cell).http}/metrics`)).text();
  return Number(/^cloverleaf_cell_sessions (\d+)/m.exec(text)?.[1]);
};

test("I1, I7, I9: a campaign moves every vehicle of a cell, connected and publishing, to another cell of their zone: all arrive, nothing acknowledged is lost", async () => {
  const [from, to] = ["cell-eu-1", "cell-eu-2"];
  const fleet = run("npm", ["run", "fleet", "--", "--vehicles", "500", "--seconds", "40", "--data", lab.dataDir]);
  await until("the fleet is connected", 30_000, async () => (await sessionsAt(from)) >= 50);
  const before = await sessionsAt(to);
  const answer = await world.admin("POST", "/v1/campaigns", {
    reason: "move.test",
    selection: { kind: "cell", cell: from },
    targets: [to],
    policy: { lockWaitSeconds: 20, disruptionBudget: null },
  });
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 201 });
  const { id } = Campaign.parse(answer.body);
  const ended = await until("the campaign has ended", 60_000, async () => {
    const campaign = Campaign.parse((await world.admin("GET", `/v1/campaigns/${id}`)).body);
    return campaign.state === "done" ? campaign : null;
  });
  expect(ended.moves).toEqual({ done: ended.vehicles });
  expect(await sessionsAt(to)).toBeGreaterThanOrEqual(before + 50);
  const { status, output } = await fleet;
  expect(output).toContain("passed");
  expect(status, output).toBe(0);
});
