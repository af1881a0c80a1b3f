import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { createAdminClient } from "./admin-client.ts";
import { readLabFile } from "./lab-file.ts";
import { labPaths, ROOT } from "./paths.ts";
import { commandOn, POP_RUNTIMES } from "./pop-runtimes.ts";

const HELP = `npm run pop -- --port P [options]: attaches a self-hosted edge location to a lab; Ctrl-C stops it

  --port P       where it listens, on 127.0.0.1; 0: a free port, which it logs
  --runtime R    ${POP_RUNTIMES.join(", ")} (default node)
  --lab DIR      the lab's data folder (default: LAB_DATA, else .lab)
  --id NAME      the POP's name (default pop- and the runtime's name)
  --help         this text

It joins with a token and a key of its own, copies all routing data, and keeps a last-known-good file in DIR/pops/NAME, from which
it starts when the control plane is away.`;

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      runtime: { type: "string", default: "node" },
      lab: { type: "string", default: process.env["LAB_DATA"] ?? ".lab" },
      port: { type: "string" },
      id: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help || values.port === undefined) {
    (values.help ? console.log : console.error)(HELP);
    return values.help ? 0 : 2;
  }
  const runtime = POP_RUNTIMES.find((name) => name === values.runtime);
  if (runtime === undefined) throw new RangeError(`--runtime takes ${POP_RUNTIMES.join(", ")}, not "${values.runtime}"`);
  const dir = resolve(values.lab);
  const lab = readLabFile(labPaths(dir));
  const id = values.id ?? `pop-${runtime}`;
  const dataDir = join(dir, "pops", id);
  const hasJoined = existsSync(join(dataDir, "replica.gz"));
  const joinToken = hasJoined ? undefined : await createAdminClient(lab.control, lab.adminToken).createJoinToken({ kind: "pop" });
  const [binary, ...args] = commandOn(runtime, join(ROOT, "router-worker/pop/main.ts"));
  const child = spawn(binary, args, {
    cwd: ROOT,
    stdio: "inherit",
    env: {
      ...process.env,
      POP_ID: id,
      PEPPERS: JSON.stringify(lab.peppers),
      CONTROL_URLS: lab.controls.join(","),
      DATA_DIR: dataDir,
      HOST: "127.0.0.1",
      PORT: values.port,
      ...(joinToken !== undefined && { JOIN_TOKEN: joinToken }),
    },
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("exit", (status) => done(status ?? 1));
  });
};

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
