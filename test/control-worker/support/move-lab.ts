import { type Control, call, createControl } from "./control.ts";
import { addCell, createMember, vinOf } from "./fleet.ts";
import { MovingCell } from "./moving-cell.ts";

export type MoveLab = {
  /** Cells that answer the central probe. */
  readonly alive: Set<string>;
  /** The control-worker of the moment: `crash` puts a new one in its place. */
  control: Control;
  readonly cells: Readonly<Record<"a" | "b" | "c", MovingCell>>;
};

const probing = (alive: ReadonlySet<string>) => async (url: string) => {
  const [id = ""] = new URL(url).host.split(".");
  if (!alive.has(id)) throw new TypeError("fetch failed");
  return new Response("{}");
};

/** Three cells, the first with vehicles, on one control-worker. */
export const createMoveLab = async (vehicles: number, zones: readonly (string | null)[] = []): Promise<MoveLab> => {
  const alive = new Set(["cell-a", "cell-b", "cell-c"]);
  const control = await createControl({ fetch: probing(alive) });
  const make = async (id: string): Promise<MovingCell> => {
    const member = await createMember(id);
    await addCell(control, member, { zone: zones["abc".indexOf(id.slice(-1))] ?? null });
    return new MovingCell(member, () => Object.values(lab.cells));
  };
  const lab: MoveLab = { alive, control, cells: { a: await make("cell-a"), b: await make("cell-b"), c: await make("cell-c") } };
  for (let n = 0; n < vehicles; n++) {
    await control.database.sql("insert into vehicles (vin, vin_key, market, updated_at) values (?, ?, 'eu', 1)", vinOf(n), keyOf(n));
    await control.database.sql("insert into assignments values (?, ?, 'cell-a', 1, 'single', 1)", vinOf(n), keyOf(n));
  }
  for (const cell of Object.values(lab.cells)) await cell.sync(control);
  return lab;
};

export const keyOf = (n: number): string => `vehicle-${n}`.padEnd(22, "x");

/** The core of this instant is gone; another takes its place, with nothing but the tables. */
export const crash = async (lab: MoveLab): Promise<void> => {
  const { now } = lab.control.clock;
  lab.control = await createControl({ database: lab.control.database, fetch: probing(lab.alive) });
  lab.control.clock.now = now;
};

export const startCampaign = async (lab: MoveLab, body: Record<string, unknown> = {}): Promise<string> => {
  const selection = { kind: "cell", cell: "cell-a" };
  const answer = await call(lab.control.app, "POST", "/v1/campaigns", {
    body: { reason: "test", selection, targets: ["cell-b"], ...body },
  });
  if (answer.status !== 201) throw new Error(answer.text);
  return String(answer.json["id"]);
};

export const tick = async (lab: MoveLab, milliseconds = 1_000): Promise<void> => {
  lab.control.clock.now += milliseconds;
  await lab.control.core.tick();
};

/** One second of everybody's life; vehicles connect wherever they are owned. */
export const round = async (lab: MoveLab): Promise<void> => {
  await tick(lab);
  for (const cell of Object.values(lab.cells)) {
    await cell.sync(lab.control);
    for (const [vinKey, { record }] of cell.holdings) if (record?.state === "owned") cell.admit(vinKey);
  }
};

export const statesOf = async (lab: MoveLab): Promise<string[]> =>
  (await lab.control.database.sql("select state from moves order by id")).map(({ state }) => String(state));

export const ownersOf = async (lab: MoveLab): Promise<Record<string, unknown>[]> =>
  lab.control.database.sql("select cell, epoch from assignments order by vin");

/** Rounds until every move is closed. */
export const settle = async (lab: MoveLab, rounds = 20): Promise<void> => {
  for (let n = 0; n < rounds; n++) {
    await round(lab);
    if ((await statesOf(lab)).every((state) => state === "done" || state === "aborted")) return;
  }
  throw new Error(`moves are still open: ${await statesOf(lab)}`);
};
