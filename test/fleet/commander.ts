import { sendCommand } from "./owner.ts";
import type { SimulatedVehicle } from "./simulated.ts";
import { addExample, type Tally } from "./tally.ts";
import type { TokenMint } from "./tokens.ts";

const TYPES = ["horn.honk", "doors.lock", "doors.unlock", "climate.start"];

export type Commander = {
  stop(): void;
  /** Waits for the commands under way. */
  settle(): Promise<void>;
};

const pick = <T>(among: readonly T[]): T | undefined => among[Math.floor(Math.random() * among.length)];

/** Owners' commands over HTTP to a share of the connected vehicles each second, one at a time per vehicle. */
export const startCommanding = (
  fleet: readonly SimulatedVehicle[],
  run: { readonly share: number; readonly mint: TokenMint; readonly tally: Tally },
): Commander => {
  const { mint, tally } = run;
  const underWay = new Map<SimulatedVehicle, Promise<void>>();

  const command = async ({ vehicle }: SimulatedVehicle) => {
    const { route, vin } = vehicle;
    if (route === null) return;
    tally.commandsSent++;
    const call = { vin, https: route.endpoints.https, allowedHosts: route.allowedHosts, token: await mint.ownerToken(vin) };
    const outcome = await sendCommand(call, { type: pick(TYPES) ?? "horn.honk" });
    if (outcome.kind === "succeeded") {
      tally.commandsSucceeded++;
      tally.latencies.command.record(outcome.roundTripMs);
      return;
    }
    tally.commandsUnsuccessful++;
    addExample(tally, `command: ${outcome.detail}`);
  };

  const start = (simulated: SimulatedVehicle) => {
    const done = command(simulated)
      .catch((error: unknown) => {
        tally.commandsUnsuccessful++;
        addExample(tally, `command: ${error instanceof Error ? error.message : String(error)}`);
      })
      .finally(() => underWay.delete(simulated));
    underWay.set(simulated, done);
  };

  let owed = 1;
  const timer = setInterval(() => {
    const free = fleet.filter((simulated) => simulated.vehicle.isConnected && !underWay.has(simulated));
    for (owed += fleet.length * run.share; owed >= 1; owed--) {
      const next = pick(free);
      if (next !== undefined && !underWay.has(next)) start(next);
    }
  }, 1000);
  if (run.share === 0) clearInterval(timer);

  return {
    stop: () => clearInterval(timer),
    async settle() {
      await Promise.all(underWay.values());
    },
  };
};
