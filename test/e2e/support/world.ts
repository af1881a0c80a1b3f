import { Problem } from "#schema/api/error.ts";
import { MIN_EPOCH_HEADER, RouteAnswer } from "#schema/api/route.ts";
import { Vehicle } from "#schema/api/vehicles.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { storedIds } from "../../fleet/audit.ts";
import { createTokenMint } from "../../fleet/tokens.ts";
import type { LabFile } from "./lab.ts";
import { until } from "./until.ts";

/** An answer of an HTTP API: the body as JSON where it is JSON, else as text. */
export type Answer = { readonly status: number; readonly headers: Headers; readonly body: unknown };

const TIMEOUT_MS = 15_000;

const call = async (url: string, init: RequestInit): Promise<Answer> => {
  const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS), ...init });
  const text = await response.text();
  const isJson = /^application\/(.+\+)?json\b/.test(response.headers.get("Content-Type") ?? "");
  return { status: response.status, headers: response.headers, body: isJson && text !== "" ? JSON.parse(text) : text };
};

/** The problem that an answer must be; throws when it is none. */
export const problemOf = (answer: Answer): Problem => {
  const type = answer.headers.get("Content-Type");
  if (type !== "application/problem+json") throw new Error(`${answer.status} ${type}: ${JSON.stringify(answer.body)}`);
  return Problem.parse(answer.body);
};

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** What vehicles, owners and administrators do against a running lab. */
export type World = Awaited<ReturnType<typeof createWorld>>;

export const createWorld = async (file: LabFile) => {
  const mint = await createTokenMint(file, Date.now);

  const cellOf = (id: string) => {
    const cell = file.cells.find((candidate) => candidate.id === id);
    if (cell === undefined) throw new Error(`the lab has no cell ${id}`);
    return cell;
  };

  const ask = (router: number, token: string, minEpoch?: number): Promise<Answer> =>
    call(`${file.routers[router]}/v1/route`, {
      headers: { ...bearer(token), ...(minEpoch !== undefined && { [MIN_EPOCH_HEADER]: String(minEpoch) }) },
    });

  const admin = (method: string, path: string, body?: unknown): Promise<Answer> =>
    call(`${file.control}${path}`, {
      method,
      headers: { ...bearer(file.adminToken), ...(body !== undefined && { "Content-Type": "application/json" }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });

  return {
    file,
    ...mint,
    cellOf,
    /** `GET /v1/route` with any credential at one of the POPs. */
    ask,
    admin,

    /** The edge's answer to a vehicle; throws unless it is one. */
    async resolve(vin: Vin, { router = 0, minEpoch }: { router?: number; minEpoch?: number } = {}): Promise<RouteAnswer> {
      const answer = await ask(router, await mint.deviceToken(vin), minEpoch);
      if (answer.status !== 200) throw new Error(`${vin}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return RouteAnswer.parse(answer.body);
    },

    /** The registry's row of a vehicle; throws unless there is one. */
    async vehicle(vin: Vin): Promise<Vehicle> {
      const answer = await admin("GET", `/v1/vehicles/${vin}`);
      if (answer.status !== 200) throw new Error(`${vin}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return Vehicle.parse(answer.body);
    },

    /** An NDJSON import; the reports in order. */
    async importLines(text: string, type = "application/x-ndjson"): Promise<Record<string, unknown>[]> {
      const headers = { ...bearer(file.adminToken), "Content-Type": type };
      const answer = await call(`${file.control}/v1/vehicles/import`, { method: "POST", headers, body: text });
      if (answer.status !== 200) throw new Error(`import: ${answer.status} ${JSON.stringify(answer.body)}`);
      return String(answer.body)
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    },

    /** Ids of the telemetry that a cell has stored of a vehicle; throws when it does not serve it. */
    async stored(vin: Vin, cell: string): Promise<string[]> {
      const ids = await storedIds({ vin, https: cellOf(cell).http, token: await mint.ownerToken(vin) }, new Date(0));
      if (ids === null) throw new Error(`${cell} does not serve ${vin}`);
      return ids;
    },

    /** A program's answer on a health path, null while it does not answer. */
    health: (url: string, path = "/readyz"): Promise<number | null> =>
      call(`${url}${path}`, {}).then(
        ({ status }) => status,
        () => null,
      ),

    /** Waits until a cell knows as its own a vehicle that was just placed on it. */
    untilSynced: (vin: Vin, cell: string, withinMs = 15_000) =>
      until(`${cell} knows ${vin}`, withinMs, async () => {
        const answer = await call(`${cellOf(cell).http}/v1/vehicles/${vin}/telemetry`, { headers: bearer(await mint.ownerToken(vin)) });
        return answer.status === 200;
      }),
  };
};
