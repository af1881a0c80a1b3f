import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { Cell, type CellPatch, JoinTokenAnswer, type JoinTokenRequest, type PopRegistration } from "#schema/api/cells.ts";
import { ImportReport } from "#schema/api/vehicles.ts";

/** What the lab asks of control-worker as its first administrator. */
export type AdminClient = {
  createJoinToken(request: Partial<JoinTokenRequest> & Pick<JoinTokenRequest, "kind">): Promise<string>;
  registerPop(registration: PopRegistration): Promise<void>;
  /** Null while the cell is not registered. */
  cell(id: string): Promise<Cell | null>;
  patchCell(id: string, patch: CellPatch): Promise<void>;
  /** Sends NDJSON; answers the closing report. */
  importVehicles(ndjson: string): Promise<Extract<ImportReport, { kind: "done" }>>;
};

const TIMEOUT_MS = 10_000;
const IMPORT_TIMEOUT_MS = 60_000;
const RETRY_MS = 100;
const GIVE_UP_MS = 20_000;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const createAdminClient = (control: string, adminToken: string): AdminClient => {
  const send = (method: string, path: string, type: string, body?: string, timeoutMs = TIMEOUT_MS): Promise<Response> =>
    fetch(`${control}${path}`, {
      method,
      headers: { Authorization: `Bearer ${adminToken}`, ...(body !== undefined && { "Content-Type": type }) },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body !== undefined && { body }),
    });

  /** Every call here may be repeated; while control starts (no lease yet, sqld just up) it answers 503. */
  const call = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const deadline = performance.now() + GIVE_UP_MS;
    for (;;) {
      const answer = await send(method, path, "application/json", body === undefined ? undefined : JSON.stringify(body)).catch(messageOf);
      if (typeof answer !== "string" && answer.status < 500) return answer;
      const failure = typeof answer === "string" ? answer : `${answer.status} ${await answer.text()}`;
      if (performance.now() > deadline) throw new Error(`control-worker: ${method} ${path}: ${failure}`);
      await sleep(RETRY_MS);
    }
  };
  const callOk = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const answer = await call(method, path, body);
    if (answer.ok) return answer;
    throw new Error(`control-worker: ${method} ${path}: ${answer.status} ${await answer.text()}`);
  };

  return {
    async createJoinToken(request) {
      return JoinTokenAnswer.parse(await (await callOk("POST", "/v1/join-tokens", request)).json()).token;
    },
    async registerPop(registration) {
      await callOk("POST", "/v1/pops", registration);
    },
    async cell(id) {
      const answer = await call("GET", `/v1/cells/${id}`);
      return answer.ok ? Cell.parse(await answer.json()) : null;
    },
    async patchCell(id, patch) {
      await callOk("PATCH", `/v1/cells/${id}`, patch);
    },
    async importVehicles(ndjson) {
      const answer = await send("POST", "/v1/vehicles/import", "application/x-ndjson", ndjson, IMPORT_TIMEOUT_MS);
      const text = await answer.text();
      if (!answer.ok) throw new Error(`the import failed: ${answer.status} ${text}`);
      const reports = text.trimEnd().split("\n");
      const last = z
        .array(ImportReport)
        .parse(reports.map((line): unknown => JSON.parse(line)))
        .at(-1);
      if (last?.kind !== "done") throw new Error(`the import did not end: ${reports.at(-1)}`);
      return last;
    },
  };
};
