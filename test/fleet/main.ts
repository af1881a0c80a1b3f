import { resolve } from "node:path";
import { readLabFile } from "../lab/lab-file.ts";
import { labPaths } from "../lab/paths.ts";
import { HELP, parseFleetOptions } from "./options.ts";
import { chooseVins } from "./registry.ts";
import { runFleet } from "./run.ts";

const INTERRUPTED = 130;

const main = async (): Promise<number> => {
  const options = parseFleetOptions(process.argv.slice(2), process.env);
  if (options === "help") {
    console.log(HELP);
    return 0;
  }
  const interrupt = new AbortController();
  process.on("SIGINT", () => {
    if (interrupt.signal.aborted) process.exit(INTERRUPTED);
    console.log("\ninterrupted: finishing what is under way (again to quit at once)");
    interrupt.abort();
  });
  const lab = readLabFile(labPaths(resolve(options.dataDir)));
  const vins = await chooseVins(lab.control, lab.adminToken, options.vehicles);
  const failures = await runFleet(options, lab, vins, { out: process.stdout, signal: interrupt.signal });
  for (const failure of failures) console.log(`FAILED: ${failure}`);
  if (failures.length > 0) return 1;
  console.log(interrupt.signal.aborted ? "interrupted; nothing wrong so far" : "passed");
  return interrupt.signal.aborted ? INTERRUPTED : 0;
};

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
