import { setTimeout as sleep } from "node:timers/promises";
import type { Vin } from "#schema/domain/vin.ts";
import type { LabFile } from "../lab/lab-file.ts";
import { startCommanding } from "./commander.ts";
import type { FleetOptions } from "./options.ts";
import { startPublishing } from "./publisher.ts";
import { readBack } from "./read-back.ts";
import { createProgress, progressLine, summary } from "./report.ts";
import { createSimulatedVehicle, type SimulatedVehicle, type Simulation } from "./simulated.ts";
import { createTally } from "./tally.ts";
import { createTokenMint } from "./tokens.ts";
import { failuresOf } from "./verdict.ts";

/** Vehicles started a second: the edge is resolved at no faster than this. */
const START_RATE = 500;
const CONNECT_WITHIN_MS = 30_000;
const SETTLE_WITHIN_MS = 15_000;
const SETTLE_INTERRUPTED_WITHIN_MS = 3000;
/** Cells stamp what they store with their own clock. */
const CLOCK_MARGIN_MS = 60_000;

const until = async (isDone: () => boolean, withinMs: number, signal?: AbortSignal): Promise<void> => {
  const deadline = performance.now() + withinMs;
  while (!isDone() && performance.now() < deadline && !signal?.aborted) await sleep(50);
};

const startAll = (fleet: readonly SimulatedVehicle[]): void => {
  const rampMs = (fleet.length / START_RATE) * 1000;
  for (const { vehicle } of fleet) setTimeout(vehicle.start, Math.random() * rampMs);
};

const createFleet = async (options: FleetOptions, lab: LabFile, vins: readonly Vin[]) => {
  const tally = createTally();
  const mint = await createTokenMint(lab, Date.now);
  const otherVin = (vin: Vin): Vin => vins.find((candidate) => candidate !== vin) ?? vin;
  const simulation: Simulation = { tally, mint, routers: lab.routers, otherVin, lastCommand: null };
  const protocolOf = (index: number) => options.protocols[index % options.protocols.length] ?? 5;
  return { tally, mint, fleet: vins.map((vin, index) => createSimulatedVehicle(simulation, vin, protocolOf(index))) };
};

/** Drives the fleet to its end, or until the signal aborts; prints progress and summary; answers why the run failed, if it did. */
export const runFleet = async (
  options: FleetOptions,
  lab: LabFile,
  vins: readonly Vin[],
  { out, signal }: { readonly out: NodeJS.WriteStream; readonly signal: AbortSignal },
): Promise<string[]> => {
  const { tally, mint, fleet } = await createFleet(options, lab, vins);
  const from = new Date(Date.now() - CLOCK_MARGIN_MS);
  const prefix = `fleet-${Date.now().toString(36)}`;
  const startedAt = performance.now();
  const connected = () => fleet.filter(({ vehicle }) => vehicle.isConnected).length;
  const progress = createProgress(out);
  const ticker = setInterval(() => {
    const second = Math.round((performance.now() - startedAt) / 1000);
    progress.show(progressLine(tally, { second, connected: connected(), vehicles: fleet.length }));
  }, 1000);

  startAll(fleet);
  await until(() => connected() === fleet.length, CONNECT_WITHIN_MS, signal);
  const stopPublishing = startPublishing(fleet, { prefix, rate: options.rate, tally });
  const commander = startCommanding(fleet, { share: options.commandShare, mint, tally });
  await sleep(options.seconds * 1000, undefined, { signal }).catch(() => undefined);
  stopPublishing();
  commander.stop();
  if (!signal.aborted) await commander.settle();
  const isQuiet = () => fleet.every(({ vehicle }) => vehicle.waiting === 0 && vehicle.isConnected);
  await until(isQuiet, signal.aborted ? SETTLE_INTERRUPTED_WITHIN_MS : SETTLE_WITHIN_MS);
  clearInterval(ticker);
  progress.end();

  const connectedAtEnd = connected();
  const unacknowledged = fleet.reduce((sum, { vehicle }) => sum + vehicle.waiting, 0);
  for (const { vehicle } of fleet) vehicle.stop();
  const { audits, failures } = await readBack(fleet, { lab, mint, prefix, from });
  const sum = (of: "stored" | "unreadable") => audits.reduce((total, audit) => total + audit[of], 0);
  const closing = { vehicles: fleet.length, connected: connectedAtEnd, stored: sum("stored"), unreadable: sum("unreadable") };
  out.write(`${summary(tally, closing)}\n`);
  return failuresOf({
    ...{ tally, audits, unacknowledged, auditFailures: failures, isInterrupted: signal.aborted },
    neverConnected: fleet.filter(({ isEverConnected }) => !isEverConnected).length,
    disconnectedAtEnd: fleet.length - connectedAtEnd,
  });
};
