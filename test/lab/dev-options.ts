import { parseArgs } from "node:util";
import { type LabSize, MAX_SIZE } from "./port-plan.ts";

export type DevOptions = LabSize & { readonly dataDir: string; readonly portBase: number | undefined };

export const HELP = `npm run dev [-- options]: boots Cloverleaf on this machine, with a sample fleet of 500 vehicles; Ctrl-C stops it

  --cells N      cells, alternating between the zones eu and cn (default 2, at most ${MAX_SIZE.cells})
  --pops N       edge locations (default 1, at most ${MAX_SIZE.pops})
  --controls N   control-workers; the second takes over when the first dies (default 1, at most ${MAX_SIZE.controls})
  --data DIR     data folder; the next start on it finds the fleet as it was left (default .lab)
  --port-base P  first of 90 ports for everything (default: router 8787, control 8788, sqld 8789, cells 8800+, MQTT 1884+)
  --help         this text`;

const HIGHEST_BASE = 65_535 - 89;

const wholeNumber = (name: string, text: string, least: number, most: number): number => {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new RangeError(`--${name} takes a whole number from ${least} to ${most}, not "${text}"`);
};

/** Reads the command line; throws an Error for people when it makes no sense. */
export const parseDevOptions = (argv: readonly string[]): DevOptions | "help" => {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      cells: { type: "string", default: "2" },
      pops: { type: "string", default: "1" },
      controls: { type: "string", default: "1" },
      data: { type: "string", default: ".lab" },
      "port-base": { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const base = values["port-base"];
  return {
    cells: wholeNumber("cells", values.cells, 1, MAX_SIZE.cells),
    pops: wholeNumber("pops", values.pops, 1, MAX_SIZE.pops),
    controls: wholeNumber("controls", values.controls, 1, MAX_SIZE.controls),
    dataDir: values.data,
    portBase: base === undefined ? undefined : wholeNumber("port-base", base, 1024, HIGHEST_BASE),
  };
};
