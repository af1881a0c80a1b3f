import type { SyncAnswer, SyncRequest } from "#schema/api/sync.ts";

type Asked = SyncAnswer["desired"]["probe"];
type Testimony = SyncRequest["observed"]["witness"][number];
type Get = (url: string, init: RequestInit) => Promise<Response>;

const TIMEOUT_MS = 1_500;

/** Tries cells of which control has not heard, in the background; each sync says what the latest tries found. */
export type Witness = {
  /** What control asks for now: each cell is tried again, and one that it no longer asks about is forgotten. */
  ask(asked: Asked): void;
  testimonies(): Testimony[];
};

const answers = async (get: Get, https: string): Promise<boolean> => {
  try {
    const url = `${https.replace(/\/$/, "")}/healthz`;
    const response = await get(url, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
    await response.body?.cancel();
    return response.status < 500;
  } catch {
    return false;
  }
};

export const createWitness = (get: Get = fetch): Witness => {
  let found = new Map<Testimony["cell"], boolean>();
  const underWay = new Set<string>();
  const attempt = async ({ cell, https }: Asked[number]): Promise<void> => {
    if (underWay.has(cell)) return;
    underWay.add(cell);
    const isReachable = await answers(get, https);
    underWay.delete(cell);
    found.set(cell, isReachable);
  };
  return {
    ask(asked) {
      found = new Map([...found].filter(([cell]) => asked.some((subject) => subject.cell === cell)));
      for (const subject of asked) void attempt(subject);
    },
    testimonies: () => [...found].map(([cell, isReachable]) => ({ cell, isReachable })),
  };
};
