import { parseArgs } from "node:util";
import type { Protocol } from "./meaning.ts";

export type FleetOptions = {
  readonly dataDir: string;
  readonly vehicles: number;
  readonly seconds: number;
  /** Telemetry messages a second, per vehicle. */
  readonly rate: number;
  readonly protocols: readonly Protocol[];
  /** Share of the vehicles that is sent a command each second. */
  readonly commandShare: number;
};

export const HELP = `npm run fleet -- [options]: drives simulated vehicles against a running lab

  --vehicles N       how many vehicles; more than the registry holds are enrolled at the edge (default 100)
  --seconds S        how long they publish (default 20)
  --rate R           telemetry messages a second, per vehicle (default 1)
  --protocol 4|5|both  MQTT 3.1.1, MQTT 5, or every other vehicle each (default both)
  --commands SHARE   share of the vehicles that is sent a command each second (default 0.02)
  --data DIR         the lab's data folder (default LAB_DATA, else .lab)
  --help

Exit status 1: an acknowledged message is missing or stored twice, a vehicle failed, or a vehicle would execute a tampered,
repeated or expired command. 130: interrupted, with nothing wrong so far.`;

const PROTOCOLS: Readonly<Record<string, readonly Protocol[]>> = { 4: [4], 5: [5], both: [5, 4] };

const numberOf = (name: string, text: string, isFine: (value: number) => boolean): number => {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || !isFine(value)) throw new RangeError(`--${name} ${text} makes no sense; see --help`);
  return value;
};

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= 50_000;

/** Reads the command line; "help" when it asks for help. Throws a RangeError or TypeError that says what is wrong. */
export const parseFleetOptions = (argv: readonly string[], env: Readonly<Record<string, string | undefined>>): FleetOptions | "help" => {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      vehicles: { type: "string", default: "100" },
      seconds: { type: "string", default: "20" },
      rate: { type: "string", default: "1" },
      protocol: { type: "string", default: "both" },
      commands: { type: "string", default: "0.02" },
      data: { type: "string", default: env["LAB_DATA"] ?? ".lab" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const protocols = PROTOCOLS[values.protocol];
  if (protocols === undefined) throw new RangeError(`--protocol is 4, 5 or both, not ${values.protocol}`);
  return {
    dataDir: values.data,
    vehicles: numberOf("vehicles", values.vehicles, isCount),
    seconds: numberOf("seconds", values.seconds, (value) => value > 0),
    rate: numberOf("rate", values.rate, (value) => value > 0 && value <= 1000),
    protocols,
    commandShare: numberOf("commands", values.commands, (value) => value >= 0 && value <= 1),
  };
};
