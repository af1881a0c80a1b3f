import { isIP } from "node:net";

export type WebhookTarget = { readonly url: URL; readonly host: string; readonly port: number };

const HTTPS_PORT = 443;

/** `host`, `host:port`, `[IPv6]` or `[IPv6]:port`; anything else allows nothing. */
const parseEntry = (entry: string): { readonly suffix: string; readonly port: number } | null => {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(entry);
  const suffix = match?.[1] ?? match?.[2];
  return suffix === undefined ? null : { suffix: suffix.toLowerCase(), port: Number(match?.[3] ?? HTTPS_PORT) };
};

/** Label by label: `hooks.example.com` allows itself and what is below it, never `evilhooks.example.com`. Addresses match as a whole. */
const isBelow = (host: string, suffix: string): boolean => host === suffix || (isIP(host) === 0 && host.endsWith(`.${suffix}`));

/**
 * Reads a webhook's address; null when it is not https, carries a login, or is outside the allow-list. An entry is a host suffix, with a
 * port when it is not 443.
 */
export const parseWebhookUrl = (text: string, allowed: readonly string[]): WebhookTarget | null => {
  const url = URL.parse(text);
  if (url === null || url.protocol !== "https:" || url.username !== "" || url.password !== "") return null;
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  const port = url.port === "" ? HTTPS_PORT : Number(url.port);
  const isAllowed = allowed.map(parseEntry).some((entry) => entry?.port === port && isBelow(host, entry.suffix));
  return isAllowed ? { url, host, port } : null;
};
