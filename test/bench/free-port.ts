import { type AddressInfo, createServer } from "node:net";
import { takenPorts } from "../lab/free-ports.ts";
import { type LabSize, planPorts } from "../lab/port-plan.ts";

/** A TCP port that nothing listens on at this moment. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

/** Below the range that outgoing connections take their ports from (32768 up on Linux). */
const LOWEST_BASE = 12_000;
const BASES = 200;
const LAB_PORTS = 90;

/** A port base at which a lab of this size finds all of its ports free. */
export const freePortBase = async (size: LabSize): Promise<number> => {
  for (let tries = 0; tries < BASES; tries++) {
    const base = LOWEST_BASE + LAB_PORTS * Math.floor(Math.random() * BASES);
    if ((await takenPorts(planPorts(size, base))).length === 0) return base;
  }
  throw new Error("no free ports for a lab were found");
};
