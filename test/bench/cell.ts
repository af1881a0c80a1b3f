import type { BenchOptions } from "./options.ts";
import type { Section } from "./section.ts";
export const benchCell = async (_: BenchOptions): Promise<readonly Section[]> => [];
