import { lookup } from "node:dns/promises";
import { request } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import type { RuleEvent } from "../ports.ts";
import { parseWebhookUrl, type WebhookTarget } from "./allowed-url.ts";
import { isPublicAddress } from "./public-address.ts";

export type WebhookPolicy = {
  /** Host suffixes, with a port when it is not 443. Empty: no webhooks. */
  readonly allowed: readonly string[];
  /** Whether private addresses may be called: a receiver in the operator's own network. */
  readonly arePrivateAllowed: boolean;
  readonly timeoutMs: number;
  /** Tries in all; between them up to `backOffMs`, doubled each time, with full jitter. */
  readonly tries: number;
  readonly backOffMs: number;
};

export type WebhookDependencies = {
  readonly resolve: (host: string) => Promise<readonly string[]>;
  readonly random: () => number;
  readonly wait: (ms: number) => Promise<void>;
  /** Authorities to trust instead of the system's, PEM. */
  readonly authorities?: string;
};

/** All addresses of a host, in the system's order. */
export const resolveHost = async (host: string): Promise<readonly string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address);

/** Refused by policy: trying again would not help. */
export class WebhookRefused extends Error {}

const MAX_ANSWER_BYTES = 64 * 1024;

/** The one answer that name resolution will give for this call: what was checked is what is called. */
const pinned =
  (address: string): LookupFunction =>
  (_, options, callback) => {
    const family = isIP(address);
    if (options.all === true) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };

const addressOf = async (
  { host }: WebhookTarget,
  { arePrivateAllowed }: WebhookPolicy,
  { resolve }: WebhookDependencies,
): Promise<string> => {
  const addresses = isIP(host) === 0 ? await resolve(host) : [host];
  const [first] = addresses;
  if (first === undefined) throw new Error(`${host} has no address`);
  // One private address among public ones is how a name is turned against its resolver: all must be public.
  if (!arePrivateAllowed && !addresses.every(isPublicAddress)) throw new WebhookRefused(`${host} has an address that is not public`);
  return first;
};

/** One POST, redirects not followed. Resolves to the status. */
const post = (target: WebhookTarget, address: string, body: string, policy: WebhookPolicy, authorities?: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const call = request(
      target.url,
      {
        method: "POST",
        lookup: pinned(address),
        agent: false,
        signal: AbortSignal.timeout(policy.timeoutMs),
        headers: {
          "Content-Type": "application/cloudevents+json",
          "Content-Length": Buffer.byteLength(body),
          "User-Agent": "cloverleaf-cell",
        },
        ...(authorities !== undefined && { ca: authorities }),
      },
      (answer) => {
        let bytes = 0;
        answer.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > MAX_ANSWER_BYTES) call.destroy(new Error("the answer is too long"));
        });
        answer.once("end", () => resolve(answer.statusCode ?? 0));
        answer.once("error", reject);
      },
    );
    call.once("error", reject);
    call.end(body);
  });

const isWorthAnotherTry = (status: number): boolean => status === 429 || status >= 500;

/** Posts an event to an allow-listed host. Rejects when it was refused, or not taken after all tries. */
export const createWebhookPoster =
  (policy: WebhookPolicy, dependencies: WebhookDependencies) =>
  async (text: string, event: RuleEvent): Promise<void> => {
    const target = parseWebhookUrl(text, policy.allowed);
    if (target === null) throw new WebhookRefused("the webhook is outside the allow-list");
    const body = JSON.stringify(event);
    const tryOnce = async (): Promise<Error | null> => {
      try {
        const status = await post(target, await addressOf(target, policy, dependencies), body, policy, dependencies.authorities);
        if (status >= 200 && status < 300) return null;
        if (!isWorthAnotherTry(status)) throw new WebhookRefused(`the webhook answered ${status}`);
        return new Error(`the webhook answered ${status}`);
      } catch (error) {
        if (error instanceof WebhookRefused || !(error instanceof Error)) throw error;
        return error;
      }
    };
    for (let attempt = 1; ; attempt++) {
      const failure = await tryOnce();
      if (failure === null) return;
      if (attempt >= policy.tries) throw failure;
      await dependencies.wait(dependencies.random() * policy.backOffMs * 2 ** (attempt - 1));
    }
  };
