import type { CellWorld } from "./cell-world.ts";
import { generateLoad } from "./generate-load.ts";
import type { Login } from "./load/packets.ts";
import type { BareMosquitto } from "./mosquitto.ts";
import type { BenchOptions } from "./options.ts";
import { type Contender, runRounds, type Work } from "./rounds.ts";
import { rowOf, type Section } from "./section.ts";

const SLOTS = 32;
/** More than any contender takes up in a second. */
const TICKETS_PER_SECOND = 8000;

/** Deals logins to the slots so that no vehicle is in two of them: it would throw itself out. */
const deal = (logins: readonly Login[], vehicleCount: number): Login[][] => {
  const slots = Array.from({ length: SLOTS }, (): Login[] => []);
  for (const [index, login] of logins.entries()) slots[(index % vehicleCount) % SLOTS]?.push(login);
  return slots;
};

/** Connects a second with every ticket verified for the first time, beside bare Mosquitto without and with a password file. */
export const benchConnects = async (
  world: CellWorld,
  peers: { readonly open: BareMosquitto; readonly withPasswords: BareMosquitto; readonly passwords: readonly Login[] },
  options: BenchOptions,
): Promise<Section> => {
  const { cell, tickets, vehicles } = world;
  const connect = (port: number, logins: readonly Login[]): Promise<Work> =>
    generateLoad({ kind: "connect", port, seconds: options.seconds, slots: deal(logins, vehicles.length) });

  const freshTickets = async (): Promise<Login[]> => {
    const logins: Login[] = [];
    const rounds = Math.ceil((TICKETS_PER_SECOND * options.seconds) / vehicles.length);
    for (let round = 0; round < rounds; round++) logins.push(...(await Promise.all(vehicles.map(tickets.login))));
    return logins;
  };
  const known = await Promise.all(vehicles.map(tickets.login));
  const anonymous = vehicles.map(({ vin }) => ({ clientId: vin, password: null }));

  const contenders: readonly Contender[] = [
    { name: "cell, every ticket new", pid: cell.pid, measure: async () => connect(cell.mqttPort, await freshTickets()) },
    { name: "cell, tickets seen before", pid: cell.pid, measure: () => connect(cell.mqttPort, known) },
    { name: "Mosquitto, no check", pid: peers.open.pid, measure: () => connect(peers.open.port, anonymous) },
    { name: "Mosquitto, password file", pid: peers.withPasswords.pid, measure: () => connect(peers.withPasswords.port, peers.passwords) },
  ];
  const [fresh, seen, open, password] = await runRounds(contenders, options.rounds, options.onMeasured);
  if (fresh === undefined || seen === undefined || open === undefined || password === undefined) throw new Error("nothing was measured");
  return {
    kind: "measured",
    title: "Cell, connects",
    rows: [
      rowOf("CONNECT, every ticket new", fresh, password, { kind: "rate", atLeast: 2500 }),
      rowOf("CONNECT, every ticket new", fresh, open),
      rowOf("CONNECT, tickets seen before", seen, open),
    ],
    notes: [
      `TCP connect, CONNECT, CONNACK, ${SLOTS} at a time over ${vehicles.length} vehicles, MQTT 3.1.1, clean session; no TLS`,
      "the cell verifies each ticket's Ed25519 signature and runs admission; its connect budget is raised out of the way",
    ],
  };
};
