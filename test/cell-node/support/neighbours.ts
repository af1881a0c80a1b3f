import { join } from "node:path";
import Database from "libsql";
import type { CellId } from "#schema/domain/cell.ts";
import { newFolder, OTHER, removeFolder, SELF, startTestCell, type TestCell, untilReady } from "./cell.ts";
import { type Control, startControl } from "./control.ts";
import { createMoves, type Moves } from "./moves.ts";
import { ownerTokenFor, type TestVehicle } from "./vehicles.ts";

/** Two cells and the control that both sync with. A cell that is restarted keeps its folder and its ports. */
export type Neighbours = {
  readonly control: Control;
  readonly moves: Moves;
  cell(id: CellId): TestCell;
  restart(id: CellId): Promise<void>;
  /** Stops a cell for good. */
  lose(id: CellId): Promise<void>;
  /** Asks a cell as the vehicle's owner. */
  ask(id: CellId, vehicle: TestVehicle, path: string, init?: RequestInit): Promise<Response>;
  /** The numbers of the numbered messages on the cell's disk, whoever may ask for them. */
  onDiskAt(id: CellId, vehicle: TestVehicle): ReadonlySet<number>;
  /** The numbers of the numbered messages that the cell tells of. */
  storedAt(id: CellId, vehicle: TestVehicle): Promise<ReadonlySet<number>>;
  stop(): Promise<void>;
};

export const startNeighbours = async (ids: readonly CellId[] = [SELF, OTHER]): Promise<Neighbours> => {
  const control = await startControl();
  const moves = createMoves(control);
  const folders = new Map(await Promise.all(ids.map(async (id) => [id, await newFolder()] as const)));
  const cells = new Map<CellId, TestCell>();

  const start = async (id: CellId, ports?: TestCell): Promise<void> => {
    const cell = await startTestCell(control.url, folders.get(id) ?? "", {
      CELL_ID: id,
      ...(ports !== undefined && { HTTP_PORT: new URL(ports.http).port, MQTT_PLAIN_PORT: String(ports.mqttPort) }),
    });
    cells.set(id, cell);
    control.view.endpoints[id] = { mqtt: `mqtt://127.0.0.1:${cell.mqttPort}`, mqttWs: null, https: cell.http };
  };
  const cellOf = (id: CellId): TestCell => {
    const cell = cells.get(id);
    if (cell === undefined) throw new Error(id);
    return cell;
  };
  for (const id of ids) await start(id);
  control.publishView();
  await Promise.all(ids.map((id) => untilReady(cellOf(id).http)));

  const ask = async (id: CellId, vehicle: TestVehicle, path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = { ...(init.headers as Record<string, string>), authorization: `Bearer ${await ownerTokenFor(control, [vehicle])}` };
    return fetch(`${cellOf(id).http}/v1/vehicles/${vehicle.vin}/${path}`, { redirect: "manual", ...init, headers });
  };

  return {
    ...{ control, moves, ask },
    cell: cellOf,
    async restart(id) {
      const before = cellOf(id);
      await before.stop();
      await start(id, before);
    },
    async lose(id) {
      await cellOf(id).stop();
      cells.delete(id);
    },
    onDiskAt(id, { vin }) {
      const database = new Database(join(folders.get(id) ?? "", "cell.db"), { readonly: true });
      const sql = "select t.id from telemetry t join vehicles v on v.number = t.vehicle where v.vin = ?";
      const rows = database.prepare(sql).all([vin]) as { id: string }[];
      database.close();
      return new Set(rows.map((row) => Number(row.id)));
    },
    async storedAt(id, vehicle) {
      const response = await ask(id, vehicle, "telemetry?limit=1000");
      const { items } = (await response.json()) as { items: { payload: { n: number } }[] };
      return new Set(items.map(({ payload }) => payload.n));
    },
    async stop() {
      await Promise.all([...cells.values()].map((cell) => cell.stop()));
      await control.stop();
      await Promise.all([...folders.values()].map(removeFolder));
    },
  };
};
