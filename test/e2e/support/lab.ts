import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseRouteRecord, type RouteRecord, routeKeyOf } from "#schema/domain/route.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import { takenPorts } from "../../lab/free-ports.ts";
import { type Lab as RunningLab, startLab as startOn } from "../../lab/lab.ts";
import { type LabSize, planPorts } from "../../lab/port-plan.ts";

export type { LabFile } from "../../lab/lab-file.ts";

/** A lab on free ports in a folder of its own. */
export type Lab = Pick<RunningLab, "file" | "process" | "setKnobs"> & {
  readonly dataDir: string;
  /** sqld's own answer about how it stores. */
  readSqldConfig(): Promise<unknown>;
  /** What KV holds of a vehicle; null when it holds nothing. */
  readRoute(vinKey: VinKey): Promise<RouteRecord | null>;
  /** Resident memory of a program, in bytes. */
  memoryOf(name: string): number;
  /** Ends everything; the folder goes too unless it is wanted again. */
  stop(options?: { readonly keepData: boolean }): Promise<void>;
};

const LOWEST_BASE = 20_000;
const HIGHEST_BASE = 31_000;
const ATTEMPTS = 20;

/** A base whose 90 ports are free, below those that the system gives to outgoing connections. */
export const freeBase = async (size: LabSize): Promise<number> => {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const base = randomInt(LOWEST_BASE, HIGHEST_BASE);
    if ((await takenPorts(planPorts(size, base))).length === 0) return base;
  }
  throw new Error("no 90 free ports in a row");
};

export const startLab = async ({ dataDir, ...wanted }: Partial<LabSize> & { readonly dataDir?: string } = {}): Promise<Lab> => {
  const size = { cells: 2, pops: 1, controls: 1, ...wanted };
  const folder = dataDir ?? mkdtempSync(join(tmpdir(), "cloverleaf-e2e-"));
  const portBase = await freeBase(size);
  const lab = await startOn({ ...size, dataDir: folder, portBase, sampleFleet: true });
  const [pepper = { id: "" }] = lab.file.peppers;

  return {
    file: lab.file,
    process: lab.process,
    setKnobs: lab.setKnobs,
    dataDir: folder,
    async readSqldConfig() {
      const response = await fetch(`http://127.0.0.1:${planPorts(size, portBase).sqldAdmin}/v1/namespaces/default/config`);
      return response.json();
    },
    async readRoute(vinKey) {
      const key = encodeURIComponent(routeKeyOf(pepper.id, vinKey));
      const response = await fetch(`${lab.file.kv}/pops/e2e/values/${key}`);
      return response.ok ? parseRouteRecord(await response.json()) : null;
    },
    memoryOf: (name) => Number(execFileSync("ps", ["-o", "rss=", "-p", String(lab.process(name).pid())])) * 1024,
    async stop({ keepData } = { keepData: false }) {
      await lab.stop();
      if (!keepData) rmSync(folder, { recursive: true, force: true });
    },
  };
};
