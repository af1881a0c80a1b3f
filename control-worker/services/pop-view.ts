import type { Pop } from "#schema/api/cells.ts";
import type { PopRow } from "../store/pops.ts";

export const toPop = ({ id, createdAt }: PopRow): Pop => ({ id, createdAt: new Date(createdAt).toISOString() });
