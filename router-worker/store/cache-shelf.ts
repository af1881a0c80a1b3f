import type { Shelf } from "./port.ts";

/** The part of a Cache (Service Worker API) that is used. */
export type ShelfCache = {
  match(url: string): Promise<Response | undefined>;
  put(url: string, response: Response): Promise<void>;
};

const urlOf = (key: string): string => `https://last-known-good.cloverleaf.internal/${key}`;
const KEEP_SECONDS = 30 * 24 * 3600;

/** A shelf in the data centre's cache: what one isolate has read serves the next when KV cannot. */
export const createCacheShelf = (open: () => Promise<ShelfCache>, onFailure: (error: unknown) => void): Shelf => ({
  async read(key) {
    try {
      const response = await (await open()).match(urlOf(key));
      return response === undefined ? null : await response.text();
    } catch (error) {
      onFailure(error);
      return null;
    }
  },
  async write(key, value) {
    try {
      await (await open()).put(urlOf(key), new Response(value, { headers: { "Cache-Control": `max-age=${KEEP_SECONDS}` } }));
    } catch (error) {
      onFailure(error);
    }
  },
});
