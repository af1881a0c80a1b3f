import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const SBIN = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** The path of an installed program; null when it is not installed. */
export const findTool = (name: string): string | null => {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...SBIN];
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
};

/** Standard output of a short command; null when it cannot be run or says nothing. Its exit status is not looked at. */
export const outputOf = (command: string, args: readonly string[]): string | null => {
  const { stdout } = spawnSync(findTool(command) ?? command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return stdout?.trim() || null;
};
