import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { pinned } from "./pin.ts";

const run = promisify(execFile);

const CONNECTIONS = 32;

export type WrkReport = { readonly requestsPerSecond: number; readonly failures: string[] };

/** Reads wrk's report: its rate, and every line that tells of requests that went wrong. */
export const parseWrk = (output: string): WrkReport => {
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(output)?.[1];
  if (rate === undefined) throw new Error(`wrk reported no rate: ${output.slice(-500)}`);
  return { requestsPerSecond: Number(rate), failures: output.split("\n").filter((line) => /Non-2xx|Socket errors/.test(line)) };
};

/** Requests a second that one wrk thread over 32 connections gets; throws when any answer was not 2xx. */
export const runWrk = async (
  wrk: string,
  load: { readonly url: string; readonly script: string; readonly seconds: number },
): Promise<number> => {
  const [command, ...args] = pinned("load", [wrk, "-t1", `-c${CONNECTIONS}`, `-d${load.seconds}s`, "-s", load.script, load.url]);
  const { stdout } = await run(command, args);
  const { requestsPerSecond, failures } = parseWrk(stdout);
  if (failures.length > 0) throw new Error(`${load.url}: ${failures.join("; ")}`);
  return requestsPerSecond;
};

/** A wrk script that sends the tokens in turn. */
export const tokenScript = (tokens: readonly string[]): string => `
local tokens = { ${tokens.map((token) => `"${token}"`).join(", ")} }
local requests = {}
function init(args)
  for i, token in ipairs(tokens) do
    requests[i] = wrk.format("GET", "/v1/route", { ["Authorization"] = "Bearer " .. token })
  end
end
local at = 0
function request()
  at = at % #requests + 1
  return requests[at]
end
`;
