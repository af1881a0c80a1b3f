import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: "./schema/db/cell/tables.ts",
  out: "./schema/db/cell/migrations",
});
