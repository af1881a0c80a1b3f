import { Command } from "#schema/api/commands.ts";
import { isFinal } from "#schema/domain/command.ts";
import { isAllowedHost } from "#schema/domain/topology.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { backoff, delayOf, parseRetryAfter } from "./jitter.ts";

export type OwnerCall = {
  readonly vin: Vin;
  /** The cell's HTTPS endpoint as the edge told it. */
  readonly https: string;
  readonly allowedHosts: readonly string[];
  readonly token: string;
};

/** What became of a command that an owner's app sent. */
export type CommandOutcome =
  | { readonly kind: "succeeded"; readonly roundTripMs: number }
  /** Refused over HTTP, or failed, expired or never finished. */
  | { readonly kind: "unsuccessful"; readonly detail: string };

const WAIT_SECONDS = 10;
const EXPIRES_IN_SECONDS = 20;
const POLL_MS = 500;
const TIMEOUT_MS = (WAIT_SECONDS + 5) * 1000;
const MAX_TRIES = 4;

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Where a 307 or 421 leads; stock clients drop the credential or do not follow, so it is followed by hand (design §4.1). */
const referredTo = (response: Response, call: OwnerCall): string | null => {
  const url = URL.parse(response.headers.get("Location") ?? "", response.url);
  return [307, 421].includes(response.status) && url !== null && isAllowedHost(url.hostname, call.allowedHosts) ? url.href : null;
};

/** Calls a cell as the owner: follows references to allow-listed hosts and honours Retry-After, four tries in all. */
export const callCell = async (call: OwnerCall, path: string, init: RequestInit = {}): Promise<Response> => {
  let url = `${call.https}${path}`;
  for (let tries = 1; ; tries++) {
    const headers = { ...init.headers, Authorization: `Bearer ${call.token}` };
    const response = await fetch(url, { ...init, headers, redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
    const retryAfterMs = parseRetryAfter(response.headers.get("Retry-After"), Date.now());
    const reference = referredTo(response, call);
    if (tries === MAX_TRIES || (reference === null && retryAfterMs === null)) return response;
    await response.body?.cancel();
    if (reference !== null) url = reference;
    else await sleep(delayOf(backoff(tries, retryAfterMs), Math.random));
  }
};

const readCommand = async (response: Response): Promise<Command | string> =>
  response.ok ? Command.parse(await response.json()) : `${response.status} ${(await response.text()).slice(0, 200)}`;

const untilFinal = async (call: OwnerCall, first: Command): Promise<Command | string> => {
  let command: Command | string = first;
  const deadlineMs = Date.parse(first.expiresAt) + 2000;
  while (typeof command !== "string" && !isFinal(command.state) && Date.now() < deadlineMs) {
    await sleep(POLL_MS);
    command = await readCommand(await callCell(call, `/v1/vehicles/${call.vin}/commands/${command.id}`));
  }
  return command;
};

/** Sends one command and waits for what the vehicle reports. */
export const sendCommand = async (call: OwnerCall, command: { readonly type: string }): Promise<CommandOutcome> => {
  const startedAt = performance.now();
  const response = await callCell(call, `/v1/vehicles/${call.vin}/commands?wait=${WAIT_SECONDS}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
    body: JSON.stringify({ ...command, arguments: { by: "fleet" }, expiresInSeconds: EXPIRES_IN_SECONDS }),
  });
  const first = await readCommand(response);
  const last = typeof first === "string" ? first : await untilFinal(call, first);
  if (typeof last === "string") return { kind: "unsuccessful", detail: last };
  if (last.state !== "succeeded") return { kind: "unsuccessful", detail: `the command ended ${last.state}` };
  return { kind: "succeeded", roundTripMs: performance.now() - startedAt };
};
