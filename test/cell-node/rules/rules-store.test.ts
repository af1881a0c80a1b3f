import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RuleSet } from "#schema/api/rules.ts";
import { createRulesFile, createRulesMemory } from "../../../cell-node/rules/rules-file.ts";
import { newFolder, removeFolder } from "../support/cell.ts";
import { ruleOf } from "./support/rules.ts";

let folder: string;
beforeAll(async () => {
  folder = await newFolder();
});
afterAll(() => removeFolder(folder));

const SET = RuleSet.parse({
  rules: [
    ruleOf({
      actions: [
        { kind: "mqtt", topic: "a/b" },
        { kind: "twin", desired: { x: "1" } },
      ],
      window: { kind: "absence", seconds: 5 },
    }),
  ],
});

describe.each([
  ["a file", () => createRulesFile(join(folder, `${crypto.randomUUID()}.json`))],
  ["memory", () => createRulesMemory()],
] as const)("rules kept in %s", (_, create) => {
  test("there are none at first; what was saved is loaded, however often", async () => {
    const store = create();
    expect(await store.load()).toEqual({ rules: [] });
    await store.save(SET);
    expect(await store.load()).toEqual(SET);
    await store.save(await store.load());
    expect(await store.load()).toEqual(SET);
    await store.save({ rules: [] });
    expect(await store.load()).toEqual({ rules: [] });
  });
});

describe("the rules file", () => {
  test("survives a save that failed in the middle, and leaves no drafts", async () => {
    const path = join(folder, "rules.json");
    const store = createRulesFile(path);
    await store.save(SET);
    expect((await readdir(folder)).filter((name) => name.startsWith("rules.json"))).toEqual(["rules.json"]);
    await writeFile(`${path}.a-draft-of-a-crash`, "{");
    expect(await store.load()).toEqual(SET);
  });

  test("a file that holds no rules is an error, not an empty set", async () => {
    const path = join(folder, "broken.json");
    for (const text of ["{", '{"rules":[{"id":1}]}']) {
      await writeFile(path, text);
      await expect(createRulesFile(path).load()).rejects.toThrow();
    }
  });
});
