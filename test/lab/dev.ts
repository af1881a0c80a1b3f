import { HELP, parseDevOptions } from "./dev-options.ts";
import { type Lab, startLab } from "./lab.ts";
import type { LabFile } from "./lab-file.ts";

const FAILED = 1;
const USAGE = 2;
const INTERRUPTED = 130;
/** A Ctrl-C in a terminal arrives twice: from the terminal, and passed on by npm. */
const REPEAT_AFTER_MS = 500;

const summary = ({ routers, control, cells, kv }: LabFile, dataDir: string): string[] => [
  "",
  ...routers.map((router) => `  router    ${router}`),
  `  control   ${control}`,
  ...cells.map(({ id, http, mqtt, mqtts }) => `  ${id.padEnd(9)} ${http}  ${mqtt}  ${mqtts}`),
  `  KV        ${kv}/knobs`,
  `  all of it ${dataDir}/lab.json, logs in ${dataDir}/logs`,
  "",
  "next:",
  "  npm run token -- --vin WVWZZZCDZTW114326        a vehicle's credential",
  "  npm run fleet -- --vehicles 100 --seconds 20    simulated vehicles",
  "",
];

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Aborts at the first signal. Asked again, this process ends at once and its watchdog kills what is left. */
const interruption = (): AbortSignal => {
  const controller = new AbortController();
  let abortedMs = 0;
  const onSignal = () => {
    const isRepeat = controller.signal.aborted && performance.now() - abortedMs > REPEAT_AFTER_MS;
    if (isRepeat) process.exit(INTERRUPTED);
    if (controller.signal.aborted) return;
    abortedMs = performance.now();
    console.log("stopping");
    controller.abort(new Error("interrupted"));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  return controller.signal;
};

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const keepAlive = setInterval(() => {}, 60_000);
    const end = () => {
      clearInterval(keepAlive);
      resolve();
    };
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
  });

const main = async (): Promise<number> => {
  const options = parseDevOptions(process.argv.slice(2));
  if (options === "help") {
    console.log(HELP);
    return 0;
  }
  const signal = interruption();
  const startedMs = performance.now();
  const onProgress = (line: string) => console.log(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(5)} s  ${line}`);
  let lab: Lab;
  try {
    lab = await startLab({ ...options, sampleFleet: true, onProgress, signal });
  } catch (error) {
    if (signal.aborted) return 0;
    console.error(messageOf(error));
    return FAILED;
  }
  for (const line of summary(lab.file, options.dataDir)) console.log(line);
  console.log("lab ready");
  await untilAborted(signal);
  await lab.stop();
  return 0;
};

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    console.error(`${messageOf(error)}; see npm run dev -- --help`);
    process.exit(USAGE);
  },
);
