import { defineConfig } from "vitest/config";

const UNIT = ["test/*.test.ts", "test/{domain,crypto,router-worker,control-worker,cell-node,contract,lab,fleet,bench}/**/*.test.ts"];

export default defineConfig({
  test: {
    projects: [
      // Nothing here leaves state behind in a module, so that files may share a worker: half the time of isolated ones.
      { test: { name: "unit", include: UNIT, isolate: false, sequence: { groupOrder: 0 } } },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: true,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
