import { parseArgs } from "node:util";
import { createClient } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import { migrate } from "drizzle-orm/libsql/migrator";

const SCHEMAS = ["control", "cell"] as const;
export type DatabaseSchema = (typeof SCHEMAS)[number];

const HELP = `Applies the SQL migrations to a libSQL database; those already applied are skipped.

  npm run db:migrate -- --url URL [--token T] [--schema control|cell]

  --url URL        http(s)://…, libsql://… or file:PATH
  --token T        auth token of the database
  --schema NAME    whose tables: control (default) or cell
  --help           this text
`;

/** Brings the database behind a libSQL URL to the newest schema. */
export const migrateDatabase = async (target: {
  readonly url: string;
  readonly token?: string | undefined;
  readonly schema: DatabaseSchema;
}): Promise<void> => {
  const client = createClient({ url: target.url, ...(target.token !== undefined && { authToken: target.token }) });
  try {
    await migrate(drizzle(client), { migrationsFolder: `${import.meta.dirname}/${target.schema}/migrations` });
  } finally {
    client.close();
  }
};

const readOptions = (argv: readonly string[]) => {
  const options = { url: { type: "string" }, token: { type: "string" }, schema: { type: "string" }, help: { type: "boolean" } } as const;
  try {
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n`);
    return {};
  }
};

const main = async (argv: readonly string[]): Promise<number> => {
  const values = readOptions(argv);
  const schema = SCHEMAS.find((name) => name === (values.schema ?? "control"));
  if (values.help || values.url === undefined || schema === undefined) {
    (values.help ? process.stdout : process.stderr).write(HELP);
    return values.help ? 0 : 2;
  }
  await migrateDatabase({ url: values.url, token: values.token, schema });
  process.stdout.write(`the ${schema} schema is up to date\n`);
  return 0;
};

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`migration failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
