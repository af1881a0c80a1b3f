import type { ReadName } from "./reads.ts";
import type { WriteKind } from "./writes.ts";

/** What a group commit carries: for each kind a JSON array of rows. One request is one transaction. */
export type WriteRequest = { readonly kind: "write"; readonly id: number; readonly rows: readonly (readonly [WriteKind, string])[] };
export type ReadRequest = { readonly kind: "read"; readonly id: number; readonly name: ReadName; readonly parameters: readonly unknown[] };
export type StoreRequest = WriteRequest | ReadRequest | { readonly kind: "close"; readonly id: number };

/** Under which the thread says, unasked, whether it could open the file. */
export const OPENED_ID = 0;

export type StoreReply =
  | { readonly kind: "done"; readonly id: number; readonly rows: readonly unknown[] }
  | { readonly kind: "failed"; readonly id: number; readonly message: string; readonly code: string };
