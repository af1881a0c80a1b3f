import { dirname } from "node:path";
import type { LabFile } from "./lab-file.ts";
import { at, type LabPlan, NARROW_WMI } from "./plan-programs.ts";
import type { Program } from "./program.ts";
import { restartCommand } from "./programs-file.ts";
import { labWmis } from "./sample-fleet.ts";

/** What `lab.json` says of a lab, without the pids of the moment. */
export const describeLab = ({ paths, ports, cells, secrets, tls }: LabPlan, programs: readonly Program[]): LabFile => {
  const dir = dirname(paths.labFile);
  const [router = 0] = ports.routers;
  return {
    router: at(router),
    routers: ports.routers.map(at),
    control: at(ports.controls[0]),
    controls: ports.controls.map(at),
    cells: cells.map(({ id, zone, ports: { http, mqtt, mqtts } }) => ({
      id,
      zone,
      http: at(http),
      mqtt: `mqtt://127.0.0.1:${mqtt}`,
      mqtts: `mqtts://127.0.0.1:${mqtts}`,
    })),
    sqld: at(ports.sqld),
    kv: at(ports.kv),
    ca: tls.ca,
    adminToken: secrets.adminToken,
    peppers: [secrets.pepper],
    device: { ...secrets.device, wmis: labWmis() },
    deviceNarrow: { ...secrets.deviceNarrow, wmis: [NARROW_WMI] },
    owner: secrets.owner,
    supervisor: process.pid,
    processes: {},
    spares: Object.fromEntries(programs.map(({ name }) => [name, { restart: restartCommand(dir, name) }])),
  };
};
