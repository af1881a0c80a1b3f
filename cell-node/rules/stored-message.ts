import type { RuleChannel } from "#schema/api/rules.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import type { RuleMessage } from "./evaluate-rule.ts";

/** A message of a vehicle that is on disk, whatever protocol brought it. */
export type StoredMessage = {
  readonly vehicle: { readonly vin: Vin; readonly vinKey: VinKey };
  readonly channel: RuleChannel;
  readonly idOf: () => string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  readonly data: unknown;
  /** Of its JSON text. */
  readonly sizeBytes: number;
};

export const toRuleMessage = ({ vehicle, ...message }: StoredMessage): RuleMessage => ({
  ...message,
  vin: vehicle.vin,
  vinKey: vehicle.vinKey,
});
