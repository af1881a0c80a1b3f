import { FeedPage } from "#schema/api/feed.ts";
import { signAssertion } from "#schema/crypto/assertion.ts";
import { type PrivateJwk, publicJwkOf, type SigningKey } from "#schema/crypto/keys.ts";
import type { AskFeed, FeedReply } from "../store/replica/follow-feed.ts";

const TIMEOUT_MS = 10_000;

export type ControlPeer = { readonly urls: readonly string[]; readonly popId: string; readonly signingKey: SigningKey };

const replyOf = async (response: Response): Promise<FeedReply> => {
  if (response.status === 304) return { kind: "unchanged" };
  if (response.status === 410) return { kind: "resnapshot" };
  if (!response.ok) return { kind: "away", detail: `the feed answered ${response.status}` };
  const page = FeedPage.safeParse(await response.json());
  return page.success ? { kind: "page", page: page.data } : { kind: "away", detail: "the feed's page does not fit its schema" };
};

const askOne = async (url: string, token: string): Promise<FeedReply> => {
  try {
    const headers = { Authorization: `Bearer ${token}`, "Accept-Encoding": "gzip" };
    return await replyOf(await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) }));
  } catch (error) {
    return { kind: "away", detail: String(error) };
  }
};

/** Asks the control-workers for the feed, each when the one before it is away. */
export const createFeedClient =
  ({ urls, popId, signingKey }: ControlPeer): AskFeed =>
  async ({ cursor, topologyVersion }) => {
    const query = new URLSearchParams({ topology: String(topologyVersion), ...(cursor !== null && { cursor }) });
    let reply: FeedReply = { kind: "away", detail: "no control-worker is configured" };
    for (const url of urls) {
      reply = await askOne(`${url}/v1/feed?${query}`, await signAssertion(signingKey, popId, Date.now()));
      if (reply.kind !== "away") return reply;
    }
    return reply;
  };

export type JoinOutcome = { readonly kind: "joined" } | { readonly kind: "refused" | "away"; readonly detail: string };

const joinAt = async (url: string, body: string): Promise<JoinOutcome> => {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(`${url}/v1/pops`, { method: "POST", headers: { "Content-Type": "application/json" }, body, signal });
    if (response.ok) return { kind: "joined" };
    return { kind: response.status < 500 ? "refused" : "away", detail: `${response.status} ${await response.text()}` };
  } catch (error) {
    return { kind: "away", detail: String(error) };
  }
};

/** Registers the POP's key with a join token; the same token with the same key answers the same again. */
export const joinAsPop = async (urls: readonly string[], joinToken: string, id: string, key: PrivateJwk): Promise<JoinOutcome> => {
  const body = JSON.stringify({ joinToken, id, publicKey: publicJwkOf(key) });
  let outcome: JoinOutcome = { kind: "away", detail: "no control-worker is configured" };
  for (const url of urls) {
    outcome = await joinAt(url, body);
    if (outcome.kind !== "away") return outcome;
  }
  return outcome;
};
