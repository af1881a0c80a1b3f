import type { SignedCommand } from "#schema/crypto/command-token.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { harass } from "./adversary.ts";
import type { OfferCommand } from "./command-handler.ts";
import type { Protocol } from "./meaning.ts";
import { resolveAtEdge } from "./resolve.ts";
import { addExample, type Tally } from "./tally.ts";
import type { TokenMint } from "./tokens.ts";
import { createVehicle, type Vehicle, type VehicleObserver } from "./vehicle.ts";

/** A vehicle under test, and what the audit must know of it. */
export type SimulatedVehicle = {
  readonly vehicle: Vehicle;
  /** Ids of acknowledged telemetry by the MQTT endpoint that acknowledged it. */
  readonly acknowledged: Map<string, Set<string>>;
  isEverConnected: boolean;
};

export type Simulation = {
  readonly tally: Tally;
  readonly mint: TokenMint;
  readonly routers: readonly string[];
  readonly otherVin: (vin: Vin) => Vin;
  /** The last genuine command that any other vehicle got. */
  lastCommand: { readonly vin: Vin; readonly token: string } | null;
};

const observe = (simulation: Simulation, self: () => SimulatedVehicle): VehicleObserver => {
  const { tally } = simulation;
  return {
    onResolved: (_, latencyMs) => {
      tally.resolves++;
      tally.latencies.resolve.record(latencyMs);
    },
    onResolveFailed: (detail) => {
      tally.resolveFailures++;
      addExample(tally, `resolve: ${detail}`);
    },
    onConnected: (_, latencyMs) => {
      tally.connects++;
      self().isEverConnected = true;
      tally.latencies.connect.record(latencyMs);
    },
    onRefused: (code) => {
      tally.refusals++;
      addExample(tally, code === null ? "told to move by the session topic" : `refused with code 0x${code.toString(16)}`);
    },
    onRedirect: () => {
      tally.redirects++;
    },
    onAcknowledged: (message, url, latencyMs) => {
      if (!message.topic.endsWith("/telemetry")) return;
      tally.acknowledged++;
      tally.latencies.publishAck.record(latencyMs);
      const { acknowledged } = self();
      acknowledged.set(url, (acknowledged.get(url) ?? new Set()).add(message.id));
    },
    onRejected: (message) => {
      tally.rejected++;
      addExample(tally, `publish rejected on ${message.topic.replace(/^v1\/[^/]+/, "v1/{vin}")}`);
    },
  };
};

/** Executes commands and notices those that no vehicle may execute. */
const createExecutor = (tally: Tally) => {
  const executed = new Set<string>();
  return async (command: SignedCommand) => {
    tally.commandsExecuted++;
    if (executed.has(command.id)) tally.violations.push(`command ${command.id} was executed twice`);
    if (command.exp * 1000 <= Date.now()) tally.violations.push(`command ${command.id} was executed after its expiry`);
    executed.add(command.id);
    return { state: "succeeded", detail: { type: command.type } } as const;
  };
};

const takeCommand = async (simulation: Simulation, vin: Vin, token: string, offer: OfferCommand): Promise<void> => {
  const { tally, lastCommand } = simulation;
  const foreign = lastCommand !== null && lastCommand.vin !== vin ? lastCommand.token : null;
  const other = { vin: simulation.otherVin(vin), token: foreign };
  const { genuine, refused, executed } = await harass(token, offer, { nowMs: Date.now(), other });
  for (const { name } of executed) tally.violations.push(`a vehicle executed a ${name} command`);
  for (const { name } of refused) tally.badRefused[name]++;
  if (genuine.kind === "execute") simulation.lastCommand = { vin, token };
  if (genuine.kind === "refused") addExample(tally, `a command was refused: ${genuine.fault}`);
};

/** A reference client wired to the lab's edge, its credentials and the tally. */
export const createSimulatedVehicle = (simulation: Simulation, vin: Vin, protocol: Protocol): SimulatedVehicle => {
  const { mint, routers, tally } = simulation;
  let first = Math.floor(Math.random() * routers.length);
  const vehicle = createVehicle({
    ...{ vin, protocol, random: Math.random, now: Date.now },
    resolve: async (minEpoch) =>
      resolveAtEdge(routers, { token: await mint.deviceToken(vin), minEpoch, nowMs: Date.now(), first: first++ }),
    deviceToken: () => mint.deviceToken(vin),
    execute: createExecutor(tally),
    onCommand: (token, offer) => takeCommand(simulation, vin, token, offer),
    observer: observe(simulation, () => simulated),
  });
  const simulated: SimulatedVehicle = { vehicle, acknowledged: new Map(), isEverConnected: false };
  return simulated;
};
