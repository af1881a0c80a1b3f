import { randomUUID } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { parseInput } from "#schema/api/error.ts";
import { RuleSet } from "#schema/api/rules.ts";

/** Where the rules of a cell are kept. */
export type RulesStore = {
  load(): Promise<RuleSet>;
  /** On disk when it resolves, whole or not at all. */
  save(rules: RuleSet): Promise<void>;
};

const EMPTY: RuleSet = { rules: [] };

const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT";

const flush = async (path: string, flags: string, text?: string): Promise<void> => {
  const file = await open(path, flags, 0o600);
  try {
    if (text !== undefined) await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
};

/** Rules in a JSON file: written beside it, flushed, then renamed over it. */
export const createRulesFile = (path: string): RulesStore => ({
  async load() {
    const text = await readFile(path, "utf8").catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw error;
    });
    return text === null ? EMPTY : parseInput(RuleSet, JSON.parse(text));
  },
  async save(rules) {
    const draft = `${path}.${randomUUID()}`;
    await flush(draft, "w", JSON.stringify(rules));
    await rename(draft, path);
    await flush(dirname(path), "r");
  },
});

/** Rules in memory, for a cell that has no disk of its own. */
export const createRulesMemory = (rules: RuleSet = EMPTY): RulesStore => {
  let kept = rules;
  return {
    load: async () => kept,
    save: async (next) => {
      kept = next;
    },
  };
};
