import { PopRegistration } from "#schema/api/cells.ts";
import { parseTopology } from "#schema/api/topology.ts";
import { publicJwkOf } from "#schema/crypto/keys.ts";
import { TOPOLOGY_KEY } from "#schema/domain/route.ts";
import type { Topology } from "#schema/domain/topology.ts";
import type { AdminClient } from "./admin-client.ts";
import { countKeys, readValue } from "./kv-client.ts";
import { at, type LabPlan } from "./plan-programs.ts";
import { sampleFleet, toNdjson } from "./sample-fleet.ts";
import { type Secrets, saveSecrets } from "./secrets.ts";
import { waitUntil } from "./wait-until.ts";

const TOKEN_LIFETIME_SECONDS = 7 * 24 * 3600;
const TIMEOUT_MS = 5_000;
const SUFFIXES = ["127.0.0.1", "localhost"];

const publishedTopology = async (kv: string, pop: string): Promise<Topology | null> => {
  const published = await readValue(kv, pop, TOPOLOGY_KEY);
  return published === null ? null : parseTopology(JSON.parse(published));
};

const readCellGauges = async (cell: string): Promise<{ viewVersion: number; vehicles: number }> => {
  const text = await (await fetch(`${cell}/metrics`, { signal: AbortSignal.timeout(TIMEOUT_MS) })).text();
  const gauge = (name: string) => Number(text.match(new RegExp(`^cloverleaf_cell_${name} (\\d+)$`, "m"))?.[1] ?? -1);
  return { viewVersion: gauge("view_version"), vehicles: gauge("vehicles") };
};

/** Join tokens for the cells and POPs that have none yet; each is kept, so that a joiner repeats its registration with it. */
export const ensureJoinTokens = async (admin: AdminClient, plan: LabPlan): Promise<Secrets> => {
  const expiresInSeconds = TOKEN_LIFETIME_SECONDS;
  const wanted = [
    ...plan.pops.map(({ id }) => ({ id, request: { kind: "pop" as const, expiresInSeconds } })),
    ...plan.cells.map(({ id, region, zone }) => ({
      id,
      request: { kind: "cell" as const, region, zone, endpointSuffixes: SUFFIXES, expiresInSeconds, autoApprove: true },
    })),
  ].filter(({ id }) => plan.secrets.joinTokens[id] === undefined);
  const made = await Promise.all(wanted.map(async ({ id, request }) => [id, await admin.createJoinToken(request)] as const));
  const secrets = { ...plan.secrets, joinTokens: { ...plan.secrets.joinTokens, ...Object.fromEntries(made) } };
  saveSecrets(plan.paths, secrets);
  return secrets;
};

/** Registers each POP's key; a repeated registration changes nothing. */
export const registerPops = async (admin: AdminClient, { pops, secrets }: LabPlan): Promise<void> => {
  await Promise.all(
    pops.map(async ({ id }) => {
      const key = secrets.popKeys[id];
      const publicKey = key && publicJwkOf(key);
      await admin.registerPop(PopRegistration.parse({ joinToken: secrets.joinTokens[id], id, publicKey }));
    }),
  );
};

/** Waits until the edge knows each cell; one that was registered on other ports (another --port-base) gets its new ones. */
export const activateCells = async (admin: AdminClient, { cells, pops, ports: { kv } }: LabPlan): Promise<void> => {
  await Promise.all(
    cells.map(async ({ id, ports }) => {
      const endpoints = { mqtt: `mqtt://127.0.0.1:${ports.mqtt}`, mqttWs: null, https: at(ports.http) };
      await waitUntil(`${id} is active`, async () => {
        const cell = await admin.cell(id);
        if (cell !== null && cell.endpoints.https !== endpoints.https) await admin.patchCell(id, { endpoints });
        return cell?.isProven === true && cell.state !== "joining";
      });
    }),
  );
  await waitUntil("the cells are published", async () => {
    const topology = await publishedTopology(at(kv), pops[0]?.id ?? "");
    return cells.every(({ id, ports }) => topology?.cells[id]?.endpoints.https === at(ports.http));
  });
};

/** Waits until each cell has heard from control what is true now: the world around it and the vehicles that are its own. */
export const waitSynced = async (admin: AdminClient, { cells, pops, ports: { kv } }: LabPlan): Promise<void> => {
  const topology = await publishedTopology(at(kv), pops[0]?.id ?? "");
  await Promise.all(
    cells.map(({ id, ports }) =>
      waitUntil(`${id} is in step with control`, async () => {
        const [known, cell] = await Promise.all([readCellGauges(at(ports.http)), admin.cell(id)]);
        return known.viewVersion >= (topology?.version ?? 0) && known.vehicles >= (cell?.vehicles ?? 0);
      }),
    ),
  );
};

/** Imports the sample fleet into a new data folder and waits until the edge has its records; answers what to say about it. */
export const importSampleFleet = async (admin: AdminClient, plan: LabPlan): Promise<string> => {
  if (plan.secrets.isFleetImported) return "the fleet is as it was left";
  const fleet = sampleFleet();
  const report = await admin.importVehicles(toNdjson(fleet));
  const first = plan.pops[0]?.id ?? "pop-1";
  await waitUntil("the route records reach KV", async () => (await countKeys(at(plan.ports.kv), first, "r/")) >= report.placed);
  saveSecrets(plan.paths, { ...plan.secrets, isFleetImported: true });
  const unplaced = report.unplaced > 0 ? `, ${report.unplaced} wait for a cell in their zone` : "";
  return `imported the sample fleet: ${report.imported} vehicles, ${report.placed} placed${unplaced}`;
};
