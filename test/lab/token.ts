import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { RouteAnswer } from "#schema/api/route.ts";
import { signDeviceToken } from "#schema/crypto/device-token.ts";
import { importSigningKey } from "#schema/crypto/keys.ts";
import { signOwnerToken } from "#schema/crypto/owner-token.ts";
import { isVin, parseVin, type Vin } from "#schema/domain/vin.ts";
import { type LabFile, readLabFile } from "./lab-file.ts";
import { labPaths } from "./paths.ts";

const HELP = `npm run token -- --vin VIN [options]: prints a credential for curl and MQTT clients

  --vin VIN     the vehicle
  --owner       an access token of the vehicle's owner (15 minutes) instead of the vehicle's own (24 hours)
  --ticket      asks the router for a ticket and prints that: what a vehicle presents to its cell
  --data DIR    the lab's data folder (default: LAB_DATA, else .lab)
  --help        this text

With npm itself quiet:  TOKEN=$(npm run -s token -- --vin VIN)`;

const DEVICE_LIFETIME_SECONDS = 24 * 3600;
const TIMEOUT_MS = 5_000;

const deviceToken = async ({ device }: LabFile, vin: Vin): Promise<string> =>
  signDeviceToken(await importSigningKey(device.privateJwk), {
    vin,
    issuer: device.issuer,
    nowMs: Date.now(),
    lifetimeSeconds: DEVICE_LIFETIME_SECONDS,
  });

const ownerToken = async ({ owner }: LabFile, vin: Vin): Promise<string> =>
  signOwnerToken(await importSigningKey(owner.privateJwk), {
    subject: "lab-owner",
    issuer: owner.issuer,
    vehicles: [{ vin, role: "owner" }],
    nowMs: Date.now(),
  });

const ticket = async (lab: LabFile, vin: Vin): Promise<string> => {
  const headers = { Authorization: `Bearer ${await deviceToken(lab, vin)}` };
  const answer = await fetch(`${lab.router}/v1/route`, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) throw new Error(`the router answered ${answer.status}: ${await answer.text()}`);
  return RouteAnswer.parse(await answer.json()).ticket;
};

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      vin: { type: "string" },
      owner: { type: "boolean", default: false },
      ticket: { type: "boolean", default: false },
      data: { type: "string", default: process.env["LAB_DATA"] ?? ".lab" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help || values.vin === undefined) {
    (values.help ? console.log : console.error)(HELP);
    return values.help ? 0 : 2;
  }
  const vin = parseVin(values.vin);
  if (!isVin(vin)) throw new RangeError(`${values.vin} is not a VIN: ${vin.detail}`);
  if (values.owner && values.ticket) throw new RangeError("--owner and --ticket exclude each other: only vehicles get tickets");
  const lab = readLabFile(labPaths(resolve(values.data)));
  const credential = values.owner ? ownerToken : values.ticket ? ticket : deviceToken;
  console.log(await credential(lab, vin));
  return 0;
};

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
