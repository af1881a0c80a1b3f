import { migrateDatabase } from "#schema/db/migrate.ts";
import { createAdminClient } from "./admin-client.ts";
import { describeLab } from "./describe-lab.ts";
import { takenPorts } from "./free-ports.ts";
import { guardSqld } from "./guard-sqld.ts";
import { readLabFile, writeLabFile } from "./lab-file.ts";
import type { LabOptions } from "./lab-options.ts";
import type { LabPaths } from "./paths.ts";
import { at, type LabPlan, planCells, planPops, planPrograms } from "./plan-programs.ts";
import { activateCells, ensureJoinTokens, importSampleFleet, registerPops, waitSynced } from "./populate.ts";
import { type PortPlan, planPorts } from "./port-plan.ts";
import { type Program, startProgram } from "./program.ts";
import { writePrograms } from "./programs-file.ts";
import { loadSecrets } from "./secrets.ts";
import { ensureTls } from "./tls/ensure-tls.ts";
import { waitUntil } from "./wait-until.ts";

type BootOptions = LabOptions & { readonly signal: AbortSignal };

const requireFreePorts = async (ports: PortPlan): Promise<void> => {
  const taken = await takenPorts(ports);
  if (taken.length === 0) return;
  const list = taken.map(({ port, of }) => `${port} (${of})`).join(", ");
  throw new Error(`in use by another program: port ${list}; choose other ports with --port-base P (P … P+89)`);
};

const planLab = async (paths: LabPaths, ports: PortPlan): Promise<LabPlan> => {
  const pops = planPops(ports.routers);
  const secrets = await loadSecrets(
    paths,
    pops.map(({ id }) => id),
  );
  return { paths, ports, cells: planCells(ports.cells), pops, secrets, tls: ensureTls(paths.tls, Date.now()) };
};

const isServing = async (url: string): Promise<boolean> => {
  const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
  return answer?.ok ?? false;
};

/** Starts every program in the order in which they need each other; answers all that are planned, the unstarted standby included. */
export const bootLab = async (paths: LabPaths, { signal, onProgress = () => {}, ...options }: BootOptions): Promise<Program[]> => {
  const ports = planPorts(options, options.portBase);
  await requireFreePorts(ports);
  const drawn = await planLab(paths, ports);
  const { kv, sqld, controls, routers } = planPrograms(drawn);
  const start = async (program: Program) => {
    signal.throwIfAborted();
    await startProgram(paths, program);
    onProgress(`started ${program.name}`);
  };

  await Promise.all([start(kv), start(sqld).then(() => migrateDatabase({ url: at(ports.sqld), schema: "control" }))]);
  guardSqld(paths, sqld, at(ports.sqld), {
    signal,
    onRestart: () => {
      writeLabFile(paths, readLabFile(paths));
      onProgress("sqld answered no writes and was started again");
    },
  }).catch((error: unknown) => onProgress(`sqld answers no writes and could not be started again: ${error}`));
  const admin = createAdminClient(at(ports.controls[0]), drawn.secrets.adminToken);
  const startControl = async (): Promise<LabPlan> => {
    await start(controls[0]);
    return { ...drawn, secrets: await ensureJoinTokens(admin, drawn) };
  };
  const [plan] = await Promise.all([startControl(), ...routers.map(start)]);
  const { cells } = planPrograms(plan);
  await registerPops(admin, plan);
  await Promise.all([...controls.slice(1, options.controls).map(start), ...cells.map(start), activateCells(admin, plan)]);
  if (options.sampleFleet) onProgress(await importSampleFleet(admin, plan));
  await waitSynced(admin, plan);
  const fronts = [...ports.routers, ...ports.cells.map(({ http }) => http)].map(at);
  await Promise.all(fronts.map((url) => waitUntil(`${url} serves`, () => isServing(url))));

  const all: Program[] = [kv, sqld, ...controls, ...routers, ...cells];
  writePrograms(paths, all);
  writeLabFile(paths, describeLab(plan, all));
  return all;
};
