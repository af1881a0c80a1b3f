import type { CommandResult } from "#schema/api/commands.ts";
import { type SignedCommand, verifyCommand } from "#schema/crypto/command-token.ts";
import type { TokenFault } from "#schema/crypto/jwt.ts";
import type { KeyRing } from "#schema/crypto/keys.ts";
import type { Vin } from "#schema/domain/vin.ts";

/** What a vehicle does with an offered command. A `repeated` one is not executed again; its last report may be. */
export type CommandVerdict =
  | { readonly kind: "execute"; readonly command: SignedCommand }
  | { readonly kind: "repeated"; readonly id: string; readonly report: CommandResult | null }
  | { readonly kind: "refused"; readonly fault: TokenFault | "full"; readonly detail: string };

export type CommandGuard = {
  /** Verifies signature, VIN and expiry, and takes the id: the same id is never executed twice. */
  offer(token: string, keys: KeyRing, nowMs: number): Promise<CommandVerdict>;
  /** Keeps what was reported of a command, to be repeated when the cell asks again. */
  remember(id: string, report: CommandResult): void;
};

type Taken = { readonly expiresAtMs: number; report: CommandResult | null };

/** Ids held at a time. When it is full new commands are refused: not at all is better than twice (invariant I9). */
const MAX_IDS = 10_000;

/** Guards one vehicle against commands that are forged, foreign, expired or repeated. Vehicle software keeps the ids on disk. */
export const createCommandGuard = (vin: Vin): CommandGuard => {
  const taken = new Map<string, Taken>();

  const forgetExpired = (nowMs: number) => {
    for (const [id, { expiresAtMs }] of taken) if (expiresAtMs <= nowMs) taken.delete(id);
  };

  return {
    async offer(token, keys, nowMs) {
      const verdict = await verifyCommand(token, { keys, vin, nowMs });
      if (verdict.kind === "refused") return verdict;
      const { command } = verdict;
      const known = taken.get(command.id);
      if (known !== undefined) return { kind: "repeated", id: command.id, report: known.report };
      forgetExpired(nowMs);
      if (taken.size >= MAX_IDS) return { kind: "refused", fault: "full", detail: `${MAX_IDS} commands are remembered already` };
      taken.set(command.id, { expiresAtMs: command.exp * 1000, report: null });
      return { kind: "execute", command };
    },
    remember(id, report) {
      const known = taken.get(id);
      if (known !== undefined) known.report = report;
    },
  };
};
