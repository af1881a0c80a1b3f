import type { Refusal, Refused } from "#schema/domain/admission.ts";
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

/** Refusals to someone who has not proved to be the vehicle. */
const SILENT: readonly Refusal[] = ["over_budget", "bad_credential", "wrong_identity"];

/** The newest epoch that a refused vehicle should hear of; null when there is none, or it is none of the caller's business. */
export const epochToTell = (admission: Refused, { vehicle }: AdmissionOutcome, { credential }: Presented): number | null => {
  if (SILENT.includes(admission.refusal)) return null;
  if (admission.learn !== null) return admission.learn.epoch;
  const ticketEpoch = credential.kind === "ticket" ? credential.epoch : 0;
  return Math.max(vehicle?.record.epoch ?? 0, ticketEpoch) || null;
};
