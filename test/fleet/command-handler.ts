import type { CommandResult } from "#schema/api/commands.ts";
import type { SignedCommand } from "#schema/crypto/command-token.ts";
import { createKeyRing, type KeyRing } from "#schema/crypto/keys.ts";
import type { PublicJwk } from "#schema/domain/topology.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { type CommandVerdict, createCommandGuard } from "./commands.ts";

/** Offers the vehicle a command at a time: verified, executed at most once, its result reported. */
export type OfferCommand = (token: string, nowMs: number) => Promise<CommandVerdict>;

export type CommandActions = {
  /** Takes each command that arrives; the plain vehicle offers it to itself once, now. */
  readonly onCommand: (token: string, offer: OfferCommand) => Promise<void>;
  /** The vehicle's own doing. */
  readonly execute: (command: SignedCommand) => Promise<CommandResult>;
  /** Sends a result to the cell. */
  readonly report: (id: string, result: CommandResult) => void;
  /** A command waits for the key that it was signed with. */
  readonly onUnknownKey: () => void;
};

export type CommandHandler = {
  receive(token: string): void;
  /** Takes the keys of the cell and its standby from a new answer of the edge. */
  trust(keys: readonly PublicJwk[]): void;
};

/** Commands held until their key is known; a further one is dropped, and the cell sends it again. */
const MAX_HELD = 32;

export const createCommandHandler = (vin: Vin, actions: CommandActions): CommandHandler => {
  const guard = createCommandGuard(vin);
  let ring: KeyRing = createKeyRing([]);
  let held: string[] = [];

  const execute = async (command: SignedCommand) => {
    actions.report(command.id, { state: "accepted" });
    const result = await actions.execute(command);
    guard.remember(command.id, result);
    actions.report(command.id, result);
  };

  const offer: OfferCommand = async (token, nowMs) => {
    const verdict = await guard.offer(token, ring, nowMs);
    if (verdict.kind === "execute") await execute(verdict.command);
    if (verdict.kind === "repeated" && verdict.report !== null) actions.report(verdict.id, verdict.report);
    return verdict;
  };

  const hold = (token: string) => {
    if (held.length < MAX_HELD) held.push(token);
    actions.onUnknownKey();
  };

  const receive = (token: string) =>
    void actions.onCommand(token, async (offered, nowMs) => {
      const verdict = await offer(offered, nowMs);
      if (offered === token && verdict.kind === "refused" && verdict.fault === "unknown_key") hold(token);
      return verdict;
    });

  return {
    receive,
    trust(keys) {
      ring = createKeyRing(keys);
      const waiting = held;
      held = [];
      waiting.forEach(receive);
    },
  };
};
