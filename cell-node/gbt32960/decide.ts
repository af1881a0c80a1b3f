import { isVin, parseVin, type Vin } from "#schema/domain/vin.ts";
import type { Outcome } from "./answer.ts";
import { COMMANDS, type Frame, IS_COMMAND, PLAIN } from "./frame.ts";
import { type DataFault, decodeInformation, type Information, isFault } from "./information.ts";
import { decodeDated, LOGOUT, PLATFORM_LOGIN, VEHICLE_LOGIN } from "./logins.ts";
import type { Peer } from "./peer.ts";

export type Presence = {
  readonly kind: "presence";
  readonly vin: Vin;
  readonly type: "vehicle.login" | "vehicle.logout";
  readonly time: number;
  readonly data: Readonly<Record<string, unknown>>;
};

/** What a frame asks for. `isLast`: the connection ends after the answer. */
export type Decision =
  | { readonly kind: "ignore" }
  | { readonly kind: "answer"; readonly outcome: Outcome; readonly isLast: boolean }
  | { readonly kind: "log_in"; readonly user: string; readonly password: string }
  | { readonly kind: "log_out" }
  | { readonly kind: "report"; readonly vin: Vin; readonly isReissued: boolean; readonly information: Information }
  | Presence;

const answer = (outcome: Outcome, isLast = false): Decision => ({ kind: "answer", outcome, isLast });

const orMalformed = <T extends object>(read: T | DataFault, next: (value: T) => Decision): Decision =>
  isFault(read) ? answer("malformed") : next(read);

type Take = (frame: Frame, vin: Vin) => Decision;

const report =
  (isReissued: boolean): Take =>
  ({ edition, data }, vin) =>
    orMalformed(decodeInformation(edition, data), (information) => ({ kind: "report", vin, isReissued, information }));

/** What a vehicle, or a platform in a vehicle's name, may send. */
const OF_VEHICLES: Readonly<Record<number, Take>> = {
  [COMMANDS.vehicleLogin]: ({ edition, data }, vin) =>
    orMalformed(decodeDated(VEHICLE_LOGIN[edition], data), ({ time, ...login }) => ({
      ...{ kind: "presence", vin, type: "vehicle.login", time, data: { protocol: `gbt32960-${edition}`, ...login } },
    })),
  [COMMANDS.realtime]: report(false),
  [COMMANDS.reissue]: report(true),
  [COMMANDS.vehicleLogout]: ({ edition, data }, vin) =>
    orMalformed(decodeDated(LOGOUT, data), ({ time, ...logout }) => ({
      ...{ kind: "presence", vin, type: "vehicle.logout", time, data: { protocol: `gbt32960-${edition}`, ...logout } },
    })),
};

const NEEDS_NO_DATA: readonly number[] = [COMMANDS.heartbeat, COMMANDS.clockSync];

const ofVehicle = (frame: Frame, vin: Vin): Decision => {
  if (NEEDS_NO_DATA.includes(frame.command)) return answer("success");
  return OF_VEHICLES[frame.command]?.(frame, vin) ?? answer("unexpected");
};

const ofPlatform = (frame: Frame, isLoggedIn: boolean): Decision => {
  if (frame.command === COMMANDS.platformLogin) {
    return orMalformed(decodeDated(PLATFORM_LOGIN, frame.data), ({ user, password }) => ({ kind: "log_in", user, password }));
  }
  if (!isLoggedIn) return answer("unexpected", true);
  if (frame.command === COMMANDS.platformLogout) {
    return orMalformed(decodeDated(LOGOUT, frame.data), () => ({ kind: "log_out" }));
  }
  if (NEEDS_NO_DATA.includes(frame.command)) return answer("success");
  const vin = parseVin(frame.id);
  return isVin(vin) ? ofVehicle(frame, vin) : answer("unknown_vehicle");
};

/** Reads what a whole, checked frame asks for, of this peer in this state. Total: whatever the bytes are, there is a decision. */
export const decide = (peer: Peer, isLoggedIn: boolean, frame: Frame): Decision => {
  // §6.3.2: an answer is not answered.
  if (frame.answer !== IS_COMMAND) return { kind: "ignore" };
  if (peer.kind === "vehicle" && frame.id !== peer.vin) return answer("unknown_vehicle", true);
  if (frame.encryption !== PLAIN) return answer("encrypted");
  return peer.kind === "vehicle" ? ofVehicle(frame, peer.vin) : ofPlatform(frame, isLoggedIn);
};
