import type * as z from "zod";
import { CellIdField } from "#schema/api/fields.ts";
import { pageOf, Vehicle } from "#schema/api/vehicles.ts";
import { generateSigningJwk, importSigningKey, publicJwkOf } from "#schema/crypto/keys.ts";
import { signTicket } from "#schema/crypto/ticket-token.ts";
import { parseCellId } from "#schema/domain/cell.ts";
import { TICKET_LIFETIME_SECONDS } from "#schema/domain/ticket.ts";
import type { AdminClient } from "../lab/admin-client.ts";
import type { LabFile } from "../lab/lab-file.ts";
import type { CellUnderTest } from "./cell-under-test.ts";
import type { Login } from "./load/packets.ts";

export type BenchVehicle = z.infer<typeof Vehicle>;

/** Signs tickets as a POP does, as many as the load needs. */
export type TicketOffice = {
  /** A login with a ticket that was never used before. */
  login(vehicle: BenchVehicle): Promise<Login>;
};

const POP = "pop-bench";
const VehiclePage = pageOf(Vehicle);

const callControl = async (lab: LabFile, method: string, path: string, body?: unknown): Promise<unknown> => {
  const headers = { Authorization: `Bearer ${lab.adminToken}`, "Content-Type": "application/json" };
  const response = await fetch(`${lab.control}${path}`, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status} ${await response.text()}`);
  return response.json();
};

/** Re-assigns `count` vehicles, whose zone allows it, to the cell under test. */
export const assignVehicles = async (lab: LabFile, cell: CellUnderTest, count: number): Promise<BenchVehicle[]> => {
  const { items } = VehiclePage.parse(await callControl(lab, "GET", "/v1/vehicles?limit=500"));
  const fitting = items.filter(({ zone }) => zone === null || zone === cell.zone).slice(0, count);
  if (fitting.length < count) throw new Error(`only ${fitting.length} vehicles may be in zone ${cell.zone}`);
  const assigned: BenchVehicle[] = [];
  for (const { vin } of fitting) assigned.push(Vehicle.parse(await callControl(lab, "PATCH", `/v1/vehicles/${vin}`, { cell: cell.id })));
  return assigned;
};

/** Joins a POP of its own, so that the bench can sign any number of tickets that the cell trusts. */
export const openTicketOffice = async (admin: AdminClient, cell: CellUnderTest): Promise<TicketOffice> => {
  const jwk = await generateSigningJwk(POP);
  const key = await importSigningKey(jwk);
  const joinToken = await admin.createJoinToken({ kind: "pop", autoApprove: true });
  await admin.registerPop({ joinToken, id: CellIdField.parse(POP), publicKey: publicJwkOf(jwk) });
  const self = parseCellId(cell.id);
  if (self === null) throw new Error(`${cell.id} is no cell id`);
  let issued = 0;
  return {
    async login({ vin, vinKey, epoch }) {
      const iat = Math.floor(Date.now() / 1000);
      const claims = { iss: POP, sub: vin, aud: [self], cell: self, epoch, reason: "assigned", vinKey, iat } as const;
      // The topology's version makes each ticket another one: none is answered from the cell's memory of verified tokens.
      return {
        clientId: vin,
        password: await signTicket(key, { ...claims, topologyVersion: ++issued, exp: iat + TICKET_LIFETIME_SECONDS }),
      };
    },
  };
};
