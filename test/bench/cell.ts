import { startCellWorld } from "./cell-world.ts";
import { benchConnects } from "./connects.ts";
import { startMosquitto } from "./mosquitto.ts";
import type { BenchOptions } from "./options.ts";
import { benchPublishes } from "./publishes.ts";
import type { Section } from "./section.ts";
import { findTool } from "./tools.ts";

const VEHICLES = 192;

const measureCell = async (mosquitto: string, options: BenchOptions): Promise<readonly Section[]> => {
  const world = await startCellWorld(VEHICLES);
  const running: (() => Promise<void>)[] = [world.stop];
  try {
    const passwords = world.vehicles.map(({ vin, vinKey }) => ({ clientId: vin, password: vinKey }));
    const open = await startMosquitto(mosquitto, null);
    running.push(open.stop);
    const withPasswords = await startMosquitto(mosquitto, passwords);
    running.push(withPasswords.stop);
    const publishes = await benchPublishes(world, open, options);
    return [publishes, await benchConnects(world, { open, withPasswords, passwords }, options)];
  } finally {
    for (const end of running.reverse()) await end();
  }
};

/** The cell's publishes and connects a second beside a bare Mosquitto under the same generator. */
export const benchCell = async (options: BenchOptions): Promise<readonly Section[]> => {
  const mosquitto = findTool("mosquitto");
  if (mosquitto !== null) return measureCell(mosquitto, options);
  return [{ kind: "skipped", title: "Cell", reason: "mosquitto is not installed (Debian: apt-get install mosquitto)" }];
};
