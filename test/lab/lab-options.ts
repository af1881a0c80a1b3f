import type { LabSize } from "./port-plan.ts";

export type LabOptions = LabSize & {
  readonly dataDir: string;
  /** Without one: the ports of design §4.10. */
  readonly portBase?: number | undefined;
  /** Whether a new data folder gets the sample fleet. */
  readonly sampleFleet: boolean;
  readonly onProgress?: (line: string) => void;
  /** Gives up starting; what was started is stopped. */
  readonly signal?: AbortSignal;
};
