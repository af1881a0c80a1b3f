import { importSigningKey } from "#schema/crypto/keys.ts";
import { signOwnerToken } from "#schema/crypto/owner-token.ts";
import { storedIds } from "../fleet/audit.ts";
import type { CellWorld } from "./cell-world.ts";
import { generateLoad } from "./generate-load.ts";
import type { Login } from "./load/packets.ts";
import type { BareMosquitto } from "./mosquitto.ts";
import type { BenchOptions } from "./options.ts";
import { type Contender, runRounds, type Work } from "./rounds.ts";
import { type Aim, rowOf, type Section } from "./section.ts";

const CONNECTIONS = 64;
const CHECKED_VEHICLES = 4;

/** What was acknowledged to whom, to be compared with what is stored. */
type Acknowledged = { readonly run: string; readonly perLogin: readonly number[] };

const countStored = async (world: CellWorld, index: number, run: string, from: Date): Promise<number> => {
  const { cell, lab, vehicles } = world;
  const vin = vehicles[index]?.vin;
  if (vin === undefined) throw new Error("there is no such vehicle");
  const rights = { subject: "bench", issuer: lab.owner.issuer, vehicles: [{ vin, role: "owner" as const }], nowMs: Date.now() };
  const token = await signOwnerToken(await importSigningKey(lab.owner.privateJwk), rights);
  const ids = (await storedIds({ vin, https: cell.https, token }, from)) ?? [];
  return new Set(ids.filter((id) => id.startsWith(`${run}-`))).size;
};

const requireStored = async (world: CellWorld, { run, perLogin }: Acknowledged, from: Date): Promise<void> => {
  for (let index = 0; index < CHECKED_VEHICLES; index++) {
    const acknowledged = perLogin[index] ?? 0;
    const stored = await countStored(world, index, run, from);
    if (acknowledged === 0 || stored < acknowledged) throw new Error(`run ${run}: ${acknowledged} acknowledged, ${stored} stored`);
  }
};

/** QoS 1 publishes at one depth: the cell stores each before its PUBACK, Mosquitto keeps none. */
const benchDepth = async (world: CellWorld, mosquitto: BareMosquitto, inFlight: number, aim: Aim | null, options: BenchOptions) => {
  const { cell, tickets } = world;
  const vehicles = world.vehicles.slice(0, CONNECTIONS);
  const from = new Date(Date.now() - 60_000);
  let last: Acknowledged | null = null;
  let runs = 0;
  const publish = async (port: number, logins: readonly Login[]): Promise<Work> => {
    const run = `bench-${inFlight}-${++runs}`;
    const outcome = await generateLoad({ kind: "publish", port, seconds: options.seconds, inFlight, run, logins: [...logins] });
    if (port === cell.mqttPort) last = { run, perLogin: outcome.perLogin };
    return outcome;
  };
  const anonymous = vehicles.map(({ vin }) => ({ clientId: vin, password: null }));
  const contenders: readonly [Contender, Contender] = [
    {
      ...{ name: `cell, ${inFlight} in flight`, pid: cell.pid },
      measure: async () => publish(cell.mqttPort, await Promise.all(vehicles.map(tickets.login))),
    },
    { name: `Mosquitto, ${inFlight} in flight`, pid: mosquitto.pid, measure: () => publish(mosquitto.port, anonymous) },
  ];
  const [ours, peer] = await runRounds(contenders, options.rounds, options.onMeasured);
  if (ours === undefined || peer === undefined || last === null) throw new Error("nothing was measured");
  await requireStored(world, last, from);
  return rowOf(`QoS 1 publish, stored, ${inFlight} in flight`, ours, { ...peer, name: "Mosquitto, in memory" }, aim);
};

/** The cell's QoS 1 publishes a second, stored, beside bare Mosquitto's. */
export const benchPublishes = async (world: CellWorld, mosquitto: BareMosquitto, options: BenchOptions): Promise<Section> => ({
  kind: "measured",
  title: "Cell, QoS 1 publishes",
  rows: [
    await benchDepth(world, mosquitto, 8, { kind: "ratio", atLeast: 0.45 }, options),
    await benchDepth(world, mosquitto, 1, null, options),
  ],
  notes: [
    `${CONNECTIONS} connections, MQTT 3.1.1, JSON telemetry of about 110 bytes with an id of its own; in flight: per connection`,
    `the cell: TCP to PUBACK through gateway, topic ACL, storage on disk; after each depth ${CHECKED_VEHICLES} vehicles' last run is read back over HTTP and must be complete`,
    "peer: Mosquitto without persistence, authentication or ACL; same generator",
    "nothing is pinned: the cell works on two threads, Mosquitto on one, the generator on one of its own",
  ],
});
