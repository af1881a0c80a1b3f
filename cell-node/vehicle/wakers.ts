/** Lets callers wait until a name is woken, or for a time. */
export type Wakers = {
  wait(name: string, timeoutMs: number): Promise<void>;
  wake(name: string): void;
};

export const createWakers = (): Wakers => {
  const waiting = new Map<string, Set<() => void>>();
  return {
    async wait(name, timeoutMs) {
      const own = waiting.get(name) ?? new Set();
      waiting.set(name, own);
      const { promise, resolve } = Promise.withResolvers<void>();
      own.add(resolve);
      const timer = setTimeout(resolve, timeoutMs);
      await promise;
      clearTimeout(timer);
      own.delete(resolve);
      if (own.size === 0) waiting.delete(name);
    },
    wake(name) {
      for (const resolve of waiting.get(name) ?? []) resolve();
    },
  };
};
