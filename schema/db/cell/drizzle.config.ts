import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: ["./schema/db/cell/tables.ts", "./schema/db/cell/moves.ts", "./schema/db/cell/twin.ts", "./schema/db/cell/replicas.ts"],
  out: "./schema/db/cell/migrations",
});
