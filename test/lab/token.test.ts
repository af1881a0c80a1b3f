import { execFile } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { CELL_AUDIENCE, createIssuerRing, ROUTER_AUDIENCE, verifyDeviceToken } from "#schema/crypto/device-token.ts";
import { publicJwkOf } from "#schema/crypto/keys.ts";
import { verifyOwnerToken } from "#schema/crypto/owner-token.ts";
import { describeLab } from "./describe-lab.ts";
import { readLabFile, writeLabFile } from "./lab-file.ts";
import { labPaths, NODE, ROOT } from "./paths.ts";
import { planCells, planPops, planPrograms } from "./plan-programs.ts";
import { planPorts } from "./port-plan.ts";
import { labWmis, sampleFleet } from "./sample-fleet.ts";
import { loadSecrets, type Secrets } from "./secrets.ts";
import { ensureTls } from "./tls/ensure-tls.ts";

const dir = mkdtempSync(join(tmpdir(), "cloverleaf-token-"));
const [vehicle] = sampleFleet();
const vin = vehicle?.vin ?? "";
let secrets: Secrets;

type Outcome = { readonly code: number; readonly stdout: string; readonly stderr: string };

const token = async (args: readonly string[], env: Record<string, string> = { LAB_DATA: dir }): Promise<Outcome> => {
  try {
    const { stdout, stderr } = await promisify(execFile)(NODE, [`${ROOT}/test/lab/token.ts`, ...args], { env, cwd: tmpdir() });
    return { code: 0, stdout: stdout.trim(), stderr };
  } catch (error) {
    return error as Outcome;
  }
};

beforeAll(async () => {
  const paths = labPaths(dir);
  secrets = await loadSecrets(paths, ["pop-1"]);
  const ports = planPorts({ cells: 2, pops: 1, controls: 1 }, 20_000);
  const tls = ensureTls(paths.tls, Date.now());
  const plan = { paths, ports, cells: planCells(ports.cells), pops: planPops(ports.routers), secrets, tls };
  const { kv, sqld, controls, routers, cells } = planPrograms(plan);
  writeLabFile(paths, describeLab(plan, [kv, sqld, ...controls, ...routers, ...cells]));
});

describe("npm run token", () => {
  test("prints a vehicle's credential that router and cells accept, and nothing else", async () => {
    const { stdout } = await token(["--vin", vin]);
    const issuers = createIssuerRing(
      [{ issuer: secrets.device.issuer, kind: "device", wmis: labWmis(), keys: [publicJwkOf(secrets.device.privateJwk)] }],
      "device",
    );
    for (const audience of [ROUTER_AUDIENCE, CELL_AUDIENCE]) {
      const verdict = await verifyDeviceToken(stdout, { issuers, audience, revoked: new Set(), nowMs: Date.now() });
      expect(verdict).toMatchObject({ kind: "verified", vin });
    }
  });

  test("with --owner an access token of the vehicle's owner; --data names the lab", async () => {
    const { stdout } = await token(["--owner", "--vin", vin, "--data", dir], {});
    const keys = [publicJwkOf(secrets.owner.privateJwk)];
    const issuers = createIssuerRing([{ issuer: secrets.owner.issuer, kind: "owner", wmis: [], keys }], "owner");
    const verdict = await verifyOwnerToken(stdout, { issuers, revoked: new Set(), nowMs: Date.now() });
    expect(verdict).toMatchObject({ kind: "verified" });
    expect(verdict.kind === "verified" && [...verdict.rights]).toEqual([[vin, "owner"]]);
  });

  test.each([
    [["--vin", "WVWZZZCDZTW11432I"], 1, "is not a VIN"],
    [[], 2, "--vin VIN"],
    [["--vin", vin, "--data", "/nowhere"], 1, "no lab runs on this folder"],
    [["--vin", vin, "--owner", "--ticket"], 1, "exclude each other"],
    [["--vim", vin], 1, "--vim"],
  ])("%j is refused with a reason", async (args, code, reason) => {
    const outcome = await token(args);
    expect(outcome).toMatchObject({ code, stdout: "" });
    expect(outcome.stderr).toContain(reason);
  });
});

describe("lab.json", () => {
  test("names every program with the command that starts it, and reads back as it was written", () => {
    const file = readLabFile(labPaths(dir));
    expect(Object.keys(file.spares).sort()).toEqual(["cell-cn-1", "cell-eu-1", "control", "control-2", "kv", "router", "sqld"]);
    expect(file.spares["kv"]?.restart).toEqual([NODE, `${ROOT}/test/lab/restart.ts`, "--data", dir, "kv"]);
    expect(file.processes).toEqual({});
  });
});
