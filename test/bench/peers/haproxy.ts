import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { type Server, startServer } from "../server-process.ts";

const configOf = (port: number, map: string): string => `
global
  nbthread 1
  maxconn 1000
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 5s
frontend edge
  bind 127.0.0.1:${port}
  http-request redirect code 307 location %[req.hdr(X-Vin),map_str(${map})]
`;

/** HAProxy that answers a 307 from a map of VINs to URLs. */
export const startHaproxy = async (binary: string, folder: string, vins: readonly string[], location: string): Promise<Server> => {
  const port = await freePort();
  const map = join(folder, "cells.map");
  writeFileSync(map, vins.map((vin) => `${vin} ${location}\n`).join(""));
  const config = join(folder, "haproxy.cfg");
  writeFileSync(config, configOf(port, map));
  return startServer("haproxy", port, [binary, "-f", config, "-db"]);
};
