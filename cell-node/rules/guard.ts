import { createContext, Script } from "node:vm";

export type Guarded<T> = { readonly kind: "done"; readonly value: T } | { readonly kind: "timeout" };

const script = new Script("job()");
const sandbox: { job: (() => unknown) | null } = { job: null };
createContext(sandbox);

/** By its code: the error may be of another realm. */
const isTimeout = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "code" in error && error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";

/**
 * Runs a function on this thread and stops it after `timeoutMs`, wherever it is: V8 ends loops and pattern matching alike. Costs some
 * 100 us, so it is for what may be long. What it throws is thrown on.
 */
export const runGuarded = <T>(timeoutMs: number, job: () => T): Guarded<T> => {
  sandbox.job = job;
  try {
    return { kind: "done", value: script.runInContext(sandbox, { timeout: timeoutMs }) as T };
  } catch (error) {
    if (isTimeout(error)) return { kind: "timeout" };
    throw error;
  } finally {
    sandbox.job = null;
  }
};
