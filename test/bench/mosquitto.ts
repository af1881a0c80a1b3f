import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { untilListening } from "./listening.ts";
import type { Login } from "./load/packets.ts";
import { findTool } from "./tools.ts";

export type BareMosquitto = { readonly pid: number; readonly port: number; stop(): Promise<void> };

const configOf = (port: number, passwordFile: string | null): string =>
  [
    `listener ${port} 127.0.0.1`,
    "persistence false",
    "log_dest none",
    "user root",
    "max_queued_messages 0",
    passwordFile === null ? "allow_anonymous true" : `password_file ${passwordFile}`,
  ].join("\n");

const stop = async (child: ChildProcess, folder: string): Promise<void> => {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill();
  await ended;
  rmSync(folder, { recursive: true });
};

/** Mosquitto with nothing but memory behind it; with `logins` it checks user name and password against its password file. */
export const startMosquitto = async (binary: string, logins: readonly Login[] | null): Promise<BareMosquitto> => {
  const folder = mkdtempSync(join(tmpdir(), "cloverleaf-bench-"));
  const port = await freePort();
  const passwordFile = logins === null ? null : join(folder, "passwords");
  if (passwordFile !== null) {
    writeFileSync(passwordFile, (logins ?? []).map(({ clientId, password }) => `${clientId}:${password}\n`).join(""), { mode: 0o600 });
    execFileSync(findTool("mosquitto_passwd") ?? "mosquitto_passwd", ["-U", passwordFile]);
  }
  const config = join(folder, "mosquitto.conf");
  writeFileSync(config, `${configOf(port, passwordFile)}\n`);
  const child = spawn(binary, ["-c", config], { stdio: "ignore" });
  process.once("exit", () => child.kill("SIGKILL"));
  await untilListening("mosquitto", child, port);
  return { pid: child.pid ?? 0, port, stop: () => stop(child, folder) };
};
