import { generateLoad } from "./generate-load.ts";
import type { Measured } from "./rounds.ts";

const LOAD_SHARE = 0.4;
const CONNECTIONS = 64;

export type Paced = { readonly measured: Measured; readonly port: number; readonly requests: readonly string[] };

/** p99 of each contender at 40 % of what it was measured to take, one after another; as a note. */
export const noteLatencies = async (contenders: readonly Paced[], seconds: number): Promise<string> => {
  const notes: string[] = [];
  for (const { measured, port, requests } of contenders) {
    const perSecond = LOAD_SHARE * measured.median;
    const job = { kind: "pace" as const, port, connections: CONNECTIONS, requests: [...requests], perSecond, seconds };
    const { p99Ms = Number.NaN } = await generateLoad(job, "pinned");
    notes.push(`${measured.name} ${p99Ms.toFixed(1)} ms`);
  }
  return `p99 at 40 % of each one's own rate, from the moment a request falls due: ${notes.join(" · ")}`;
};
