import * as z from "zod";
import { type Knobs, Knobs as KnobsDocument, type KnobsPatch } from "./kv/knobs.ts";

const TIMEOUT_MS = 5_000;
const Page = z.object({ keys: z.array(z.object({ name: z.string() })), cursor: z.string().nullable() });

/** Sets some of KV's knobs (delay, errors, slowness); answers all of them. */
export const setKnobs = async (kv: string, patch: KnobsPatch): Promise<Knobs> => {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`${kv}/knobs`, {
    method: "PUT",
    headers,
    body: JSON.stringify(patch),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!answer.ok) throw new Error(`KV refused the knobs: ${await answer.text()}`);
  return KnobsDocument.parse(await answer.json());
};

/** The text of a value in a POP's copy; null when it has none. */
export const readValue = async (kv: string, pop: string, key: string): Promise<string | null> => {
  const answer = await fetch(`${kv}/pops/${pop}/values/${encodeURIComponent(key)}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  return answer.ok ? answer.text() : null;
};

/** How many keys a POP's copy has behind a prefix. */
export const countKeys = async (kv: string, pop: string, prefix: string): Promise<number> => {
  let count = 0;
  let cursor: string | null = null;
  do {
    const query: string = new URLSearchParams({ prefix, ...(cursor !== null && { cursor }) }).toString();
    const answer = await fetch(`${kv}/pops/${pop}/keys?${query}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const page = Page.parse(await answer.json());
    count += page.keys.length;
    cursor = page.cursor;
  } while (cursor !== null);
  return count;
};
