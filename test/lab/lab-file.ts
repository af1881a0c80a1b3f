import { existsSync, readFileSync } from "node:fs";
import * as z from "zod";
import type { LabPaths } from "./paths.ts";
import { pidsOf } from "./program.ts";
import { writePrivately } from "./write-privately.ts";

const Issuer = z.object({
  issuer: z.string(),
  privateJwk: z.looseObject({ kid: z.string(), kty: z.string(), d: z.string() }),
  /** Makers that a device issuer vouches for. */
  wmis: z.array(z.string()).optional(),
});

const Restart = z.object({ restart: z.tuple([z.string()], z.string()) });
const RunningProcess = Restart.extend({
  /** The process to kill or freeze. */
  pid: z.int(),
  /** All of the program's processes: workerd and the Miniflare that launched it. */
  pids: z.array(z.int()),
});

/** `DIR/lab.json` (design §4.10): where a running lab is and what may be done with it. Addresses are URLs. */
export const LabFile = z.object({
  router: z.string(),
  routers: z.array(z.string()),
  control: z.string(),
  /** The second one answers while it runs: see `processes` and `spares`. */
  controls: z.array(z.string()),
  cells: z.array(z.object({ id: z.string(), zone: z.string(), http: z.string(), mqtt: z.string(), mqtts: z.string() })),
  sqld: z.string(),
  /** Steers KV: `GET` and `PUT {kv}/knobs`. */
  kv: z.string(),
  /** Certificate of the authority behind the cells' `mqtts`. */
  ca: z.string(),
  adminToken: z.string(),
  peppers: z.array(z.object({ id: z.string(), secret: z.string() })),
  device: Issuer,
  deviceNarrow: Issuer,
  owner: Issuer,
  /** The process that `npm run dev` is; ending it ends the lab. */
  supervisor: z.int(),
  processes: z.record(z.string(), RunningProcess),
  /** Programs that are planned and were not started: `restart` starts them. */
  spares: z.record(z.string(), Restart),
});
export type LabFile = z.infer<typeof LabFile>;

/** Reads `lab.json`; throws an Error that says what to do when there is none. */
export const readLabFile = (paths: LabPaths): LabFile => {
  if (!existsSync(paths.labFile)) throw new Error(`no lab runs on this folder: ${paths.labFile} is missing; start one with npm run dev`);
  return LabFile.parse(JSON.parse(readFileSync(paths.labFile, "utf8")));
};

const withPids = (paths: LabPaths, file: LabFile): LabFile => {
  const processes: LabFile["processes"] = {};
  const spares: LabFile["spares"] = {};
  for (const [name, { restart }] of Object.entries({ ...file.spares, ...file.processes })) {
    const pids = pidsOf(paths, name);
    const [pid] = pids;
    if (pid === undefined) spares[name] = { restart };
    else processes[name] = { pid, pids, restart };
  }
  return { ...file, processes, spares };
};

/**
 * Writes `lab.json` with the processes as they are noted now. Several restarts may do so at once: each looks again afterwards, so that
 * the last one to write has seen every pid.
 */
export const writeLabFile = (paths: LabPaths, file: LabFile): void => {
  const current = withPids(paths, file);
  writePrivately(paths.labFile, current);
  if (JSON.stringify(withPids(paths, file)) !== JSON.stringify(current)) writeLabFile(paths, file);
};
