import { isAllowedHost } from "#schema/domain/topology.ts";

const SCHEMES: Readonly<Record<string, { readonly isTls: boolean; readonly port: string }>> = {
  "mqtt:": { isTls: false, port: "1883" },
  "mqtts:": { isTls: true, port: "8883" },
  "ws:": { isTls: false, port: "80" },
  "wss:": { isTls: true, port: "443" },
};

const addressOf = (endpoint: string): string | null => {
  const url = URL.parse(endpoint);
  return url === null ? null : `${url.protocol}//${url.hostname}:${url.port || SCHEMES[url.protocol]?.port}`;
};

/** Whether two endpoints are the same listener, however they are spelled: a reference names the port, an endpoint may leave it out. */
export const isSameEndpoint = (one: string | null | undefined, other: string | null | undefined): boolean => {
  const address = addressOf(one ?? "");
  return address !== null && address === addressOf(other ?? "");
};

const parseEntry = (entry: string, current: string): URL | null => {
  if (entry.includes("://")) return URL.parse(entry);
  return URL.parse(`${URL.parse(current)?.protocol ?? "mqtts:"}//${entry}`);
};

const isSafe = (url: URL, current: string, allowedHosts: readonly string[]): boolean => {
  const scheme = SCHEMES[url.protocol];
  if (scheme === undefined || url.username !== "" || url.password !== "") return false;
  const isDowngrade = !scheme.isTls && SCHEMES[URL.parse(current)?.protocol ?? ""]?.isTls !== false;
  return !isDowngrade && isAllowedHost(url.hostname, allowedHosts);
};

/**
 * The first entry of a Server Reference that the vehicle may follow; null when there is none. Entries are separated by spaces
 * (MQTT 5.0 §4.11), each a URL or `host[:port]` with the scheme of the current endpoint. Hosts must be under the allow-list,
 * label by label; a reference never carries credentials and never leads from TLS to a plain connection.
 */
export const chooseReference = (reference: string | null, current: string, allowedHosts: readonly string[]): string | null => {
  const entries = (reference ?? "").split(/\s+/).filter((entry) => entry !== "");
  const urls = entries.map((entry) => parseEntry(entry, current)).filter((url) => url !== null);
  return urls.find((url) => isSafe(url, current, allowedHosts))?.href ?? null;
};
