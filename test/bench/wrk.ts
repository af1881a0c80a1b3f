import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { EdgeVehicle } from "./edge-fleet.ts";
import { pinned } from "./pin.ts";
import type { Work } from "./rounds.ts";

const run = promisify(execFile);

const CONNECTIONS = 32;

export type WrkReport = Work & { readonly failures: string[] };

const SECONDS: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, m: 60 };

/** Reads wrk's report: requests and time, and every line that tells of requests that went wrong. */
export const parseWrk = (output: string): WrkReport => {
  const [, count, time, unit = ""] = /(\d+) requests in ([\d.]+)([a-z]+)/.exec(output) ?? [];
  const perUnit = SECONDS[unit];
  if (count === undefined || perUnit === undefined) throw new Error(`wrk reported no requests: ${output.slice(-500)}`);
  return {
    count: Number(count),
    seconds: Number(time) * perUnit,
    failures: output.split("\n").filter((line) => /Non-2xx|Socket errors/.test(line)),
  };
};

/** Requests that one wrk thread over 32 connections gets; throws when any answer was not 2xx. */
export const runWrk = async (
  wrk: string,
  load: { readonly url: string; readonly script: string; readonly seconds: number },
): Promise<Work> => {
  const [command, ...args] = pinned("load", [wrk, "-t1", `-c${CONNECTIONS}`, `-d${load.seconds}s`, "-s", load.script, load.url]);
  const { stdout } = await run(command, args);
  const { failures, ...work } = parseWrk(stdout);
  if (failures.length > 0) throw new Error(`${load.url}: ${failures.join("; ")}`);
  return work;
};

/** A wrk script in which the vehicles ask in turn; `X-Vin` is for peers that verify nothing. */
export const requestScript = (vehicles: readonly EdgeVehicle[]): string => `
local requests = {}
local function add(token, vin)
  requests[#requests + 1] = wrk.format("GET", "/v1/route", { ["Authorization"] = "Bearer " .. token, ["X-Vin"] = vin })
end
local lines = [[
${vehicles.map(({ token, vin }) => `${token} ${vin}`).join("\n")}
]]
function init(args)
  for token, vin in lines:gmatch("(%S+) (%S+)") do add(token, vin) end
end
local at = 0
function request()
  at = at % #requests + 1
  return requests[at]
end
`;

/** The same requests as whole texts, for the bench's own generator. */
export const requestTexts = (vehicles: readonly EdgeVehicle[]): string[] =>
  vehicles.map(
    ({ token, vin }) => `GET /v1/route HTTP/1.1\r\nHost: edge.bench.test\r\nAuthorization: Bearer ${token}\r\nX-Vin: ${vin}\r\n\r\n`,
  );
