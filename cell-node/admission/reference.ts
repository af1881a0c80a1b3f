import type { Admission } from "#schema/domain/admission.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { AdmissionOutcome } from "./admit-vehicle.ts";
import type { Presented } from "./credentials.ts";
import type { World } from "./world.ts";

const DEFAULT_PORTS: Readonly<Record<string, string>> = { "mqtt:": "1883", "mqtts:": "8883" };

/** Where MQTT clients are sent, as "host:port" (the first form of [MQTT-4.11.0-1]'s references); null when the cell is not known. */
export const serverReferenceOf = (world: World, cell: CellId): string | null => {
  const url = URL.parse(world.endpointsOf(cell)?.mqtt ?? "");
  if (url === null) return null;
  return `${url.hostname}:${url.port || (DEFAULT_PORTS[url.protocol] ?? "8883")}`;
};

/** The newest epoch that a refused vehicle should hear of; null when none is known. */
export const epochToTell = (admission: Admission, { vehicle }: AdmissionOutcome, { credential }: Presented): number | null => {
  if (admission.learn !== null) return admission.learn.epoch;
  const ticketEpoch = credential.kind === "ticket" ? credential.epoch : 0;
  return Math.max(vehicle?.record.epoch ?? 0, ticketEpoch) || null;
};
