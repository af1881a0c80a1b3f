import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import type { CellId } from "#schema/domain/cell.ts";
import { createWitness } from "../../../cell-node/sync/witness.ts";

const asked = (...names: string[]) => names.map((cell) => ({ cell: cell as CellId, https: `https://${cell}.test/` }));

test("I13: a witness says of each cell that it is asked about whether it answers, and nothing of others", async () => {
  const urls: string[] = [];
  const witness = createWitness(async (url) => {
    urls.push(url);
    if (url.includes("dead")) throw new TypeError("fetch failed");
    return new Response(null, { status: url.includes("broken") ? 502 : 200 });
  });
  expect(witness.testimonies()).toEqual([]);
  witness.ask(asked("alive", "dead", "broken"));
  await setImmediate();
  expect(urls).toContain("https://alive.test/healthz");
  expect(new Map(witness.testimonies().map(({ cell, isReachable }) => [String(cell), isReachable]))).toEqual(
    new Map([
      ["alive", true],
      ["dead", false],
      ["broken", false],
    ]),
  );
  witness.ask(asked("dead"));
  expect(witness.testimonies()).toEqual([{ cell: "dead", isReachable: false }]);
  witness.ask([]);
  await setImmediate();
  witness.ask([]);
  expect(witness.testimonies()).toEqual([]);
});

test("a try that hangs is not started a second time", async () => {
  let tries = 0;
  const witness = createWitness(() => {
    tries += 1;
    return new Promise<Response>(() => {});
  });
  for (let n = 0; n < 3; n++) witness.ask(asked("frozen"));
  expect([tries, witness.testimonies()]).toEqual([1, []]);
});
