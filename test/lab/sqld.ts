import * as z from "zod";

/** A commit that was answered survives the machine; a transaction that was forgotten ends (toolchain.md: sqld's defaults are neither). */
const REQUIRED = { durability_mode: "strong", txn_timeout_s: 5 } as const;
const Config = z.looseObject({ durability_mode: z.string().nullish(), txn_timeout_s: z.number().nullish() });

const TIMEOUT_MS = 5_000;

const callAdmin = async (admin: string, init: RequestInit = {}): Promise<Response> => {
  const response = await fetch(`${admin}/v1/namespaces/default/config`, { signal: AbortSignal.timeout(TIMEOUT_MS), ...init });
  if (!response.ok) throw new Error(`sqld's admin API answered ${response.status}: ${await response.text()}`);
  return response;
};

/** Sets strong durability through the admin API and reads it back; throws when sqld does not hold it. */
export const requireStrongDurability = async (admin: string): Promise<void> => {
  const before = Config.parse(await (await callAdmin(admin)).json());
  const headers = { "Content-Type": "application/json" };
  await callAdmin(admin, { method: "POST", headers, body: JSON.stringify({ ...before, ...REQUIRED }) });
  const held = Config.parse(await (await callAdmin(admin)).json());
  if (held.durability_mode !== REQUIRED.durability_mode || held.txn_timeout_s !== REQUIRED.txn_timeout_s) {
    throw new Error(`sqld does not hold ${JSON.stringify(REQUIRED)}: it says ${JSON.stringify(held)}`);
  }
};

const statement = (sql: string) => ({ type: "execute", stmt: { sql } });
const PROBE = {
  requests: [
    statement("create table if not exists lab_write_probe (id integer primary key, at text not null)"),
    statement("insert or replace into lab_write_probe values (1, datetime('now'))"),
    { type: "close" },
  ],
};

/** Whether sqld answers a write in time; what it answers does not matter, a wedged one answers nothing. */
export const answersWrites = async (url: string, withinMs: number): Promise<boolean> => {
  try {
    await fetch(`${url}/v2/pipeline`, { method: "POST", body: JSON.stringify(PROBE), signal: AbortSignal.timeout(withinMs) });
    return true;
  } catch (error) {
    return !(error instanceof DOMException && error.name === "TimeoutError");
  }
};
