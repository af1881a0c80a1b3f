import * as z from "zod";
import { FAILOVER_PHASES } from "#schema/domain/failover.ts";
import { FAILOVER_POLICIES } from "#schema/domain/failover-decision.ts";
import { CellIdField, TimeField } from "./fields.ts";

const TermField = z.int().min(0);

/** Who serves the vehicles of `cell`: control's account, in the answer of every sync of the cell itself and of its standby. */
export const FailoverAccount = z.object({
  cell: CellIdField,
  phase: z.enum(FAILOVER_PHASES),
  term: TermField,
  standby: CellIdField.nullable(),
});
export type FailoverAccount = z.infer<typeof FailoverAccount>;

/** A standby's report in a sync, while the cell's vehicles return: how many guests of `cell` it still has, knowing of the return in `term`. */
export const GuestsEntry = z.object({ kind: z.literal("guests"), cell: CellIdField, term: TermField, guests: z.int().min(0) });
export type GuestsEntry = z.infer<typeof GuestsEntry>;

/** Body of `POST /v1/cells/{id}/failover`. Without `standby` the cell's own takes over; `force` also gives up a cell that is not down. */
export const FailoverRequest = z.object({ standby: CellIdField.optional(), force: z.boolean().default(false) }).strict();
export type FailoverRequest = z.infer<typeof FailoverRequest>;

/** Body of `PUT /v1/cells/{id}/failover-policy`: `held` waits for an operator's call, `forbidden` refuses that too. */
export const FailoverPolicyRequest = z.object({ policy: z.enum(FAILOVER_POLICIES) }).strict();
export type FailoverPolicyRequest = z.infer<typeof FailoverPolicyRequest>;

/** A cell's failover as the API shows it. */
export const Failover = FailoverAccount.extend({
  policy: z.enum(FAILOVER_POLICIES),
  changedAt: TimeField.nullable(),
  seizedAt: TimeField.nullable(),
});

/** Body of `POST /v1/cells/{id}/seize`: `confirm` repeats the cell's id. */
export const SeizeRequest = z.object({ confirm: CellIdField }).strict();
export type Failover = z.infer<typeof Failover>;
