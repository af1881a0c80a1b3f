import { spawn } from "node:child_process";

/**
 * Runs a shell command when this process ends, however it ends: a shell reads from a pipe whose other end only this process holds. The
 * shell has a session of its own, so that a Ctrl-C meant for this process does not end it first. Answers a way to call it off.
 */
export const runWhenThisEnds = (command: string, ...args: readonly string[]): (() => void) => {
  const script = `cat >/dev/null; ${command}`;
  const shell = spawn("/bin/sh", ["-c", script, "watchdog", ...args], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  shell.unref();
  return () => {
    shell.kill("SIGKILL");
  };
};

/** Ends another process together with this one. */
export const endWithThis = (pid: number): void => {
  runWhenThisEnds('kill -9 "$1"', String(pid));
};

/** Ends every process whose pid is noted in a folder together with this one; answers a way to call it off. */
export const endNotedWithThis = (folder: string): (() => void) =>
  runWhenThisEnds('for noted in "$1"/*.pid; do kill -9 "$(cat "$noted")"; done', folder);
