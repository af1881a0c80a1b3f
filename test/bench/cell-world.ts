import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAdminClient } from "../lab/admin-client.ts";
import { startLab } from "../lab/lab.ts";
import type { LabFile } from "../lab/lab-file.ts";
import { waitUntil } from "../lab/wait-until.ts";
import { type CellUnderTest, startCellUnderTest } from "./cell-under-test.ts";
import { freePortBase } from "./free-port.ts";
import { generateLoad } from "./generate-load.ts";
import { assignVehicles, type BenchVehicle, openTicketOffice, type TicketOffice } from "./ticket-office.ts";

/** A lab with control-worker and sqld, and the cell under test with its vehicles. */
export type CellWorld = {
  readonly lab: LabFile;
  readonly cell: CellUnderTest;
  readonly vehicles: readonly BenchVehicle[];
  readonly tickets: TicketOffice;
  stop(): Promise<void>;
};

const LAB_SIZE = { cells: 2, pops: 1, controls: 1 };

const admitsTickets = async (cell: CellUnderTest, tickets: TicketOffice, vehicle: BenchVehicle): Promise<boolean> => {
  const login = await tickets.login(vehicle);
  const outcome = await generateLoad({ kind: "connect", port: cell.mqttPort, seconds: 0.01, slots: [[login]] }).catch(() => null);
  return outcome !== null;
};

/** Boots the lab in a folder of its own; when this returns the cell admits the bench's tickets. */
export const startCellWorld = async (vehicleCount: number): Promise<CellWorld> => {
  const folder = mkdtempSync(join(tmpdir(), "cloverleaf-bench-"));
  const lab = await startLab({ ...LAB_SIZE, dataDir: join(folder, "lab"), portBase: await freePortBase(LAB_SIZE), sampleFleet: true });
  const running: (() => Promise<void>)[] = [lab.stop];
  const stop = async () => {
    for (const end of running.splice(0).reverse()) await end();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const admin = createAdminClient(lab.file.control, lab.file.adminToken);
    const cell = await startCellUnderTest(admin, lab.file.control, join(folder, "cell"));
    running.push(cell.stop);
    const vehicles = await assignVehicles(lab.file, cell, vehicleCount);
    const tickets = await openTicketOffice(admin, cell);
    const [first] = vehicles;
    if (first === undefined) throw new Error("no vehicle was assigned");
    await waitUntil("the cell knows the bench's POP", () => admitsTickets(cell, tickets, first));
    return { lab: lab.file, cell, vehicles, tickets, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};
