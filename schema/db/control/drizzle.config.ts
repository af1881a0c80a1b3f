import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: ["./schema/db/control/tables.ts", "./schema/db/control/access.ts"],
  out: "./schema/db/control/migrations",
});
