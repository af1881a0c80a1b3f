import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: [
    "./schema/db/control/tables.ts",
    "./schema/db/control/access.ts",
    "./schema/db/control/events.ts",
    "./schema/db/control/imports.ts",
    "./schema/db/control/rules.ts",
    "./schema/db/control/vehicles.ts",
    "./schema/db/control/moves.ts",
    "./schema/db/control/health.ts",
  ],
  out: "./schema/db/control/migrations",
});
