import { defineConfig } from "vitest/config";

const UNIT = ["test/*.test.ts", "test/{domain,crypto,router-worker,control-worker,cell-node,contract,lab,fleet,bench}/**/*.test.ts"];

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: UNIT } },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: true,
          maxWorkers: 2,
        },
      },
    ],
  },
});
