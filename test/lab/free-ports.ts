import { createServer } from "node:net";
import { type PortPlan, portsOf } from "./port-plan.ts";

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });

/** The ports of a plan that something else holds. */
export const takenPorts = async (plan: PortPlan): Promise<{ readonly port: number; readonly of: string }[]> => {
  const checked = await Promise.all(portsOf(plan).map(async (entry) => ({ entry, free: await isFree(entry.port) })));
  return checked.filter(({ free }) => !free).map(({ entry }) => entry);
};
