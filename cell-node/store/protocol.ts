import type { ReadName } from "./reads.ts";
import type { WriteKind } from "./writes.ts";

/** What a group commit carries: for each kind a JSON array of rows. One request is one transaction. */
export type WriteRequest = { readonly kind: "write"; readonly id: number; readonly rows: readonly (readonly [WriteKind, string])[] };
export type ReadRequest = { readonly kind: "read"; readonly id: number; readonly name: ReadName; readonly parameters: readonly unknown[] };
export type StoreRequest = WriteRequest | ReadRequest | { readonly kind: "close"; readonly id: number };

export type StoreReply =
  | { readonly kind: "opened"; readonly id: 0 }
  | { readonly kind: "done"; readonly id: number; readonly rows: readonly unknown[] }
  | { readonly kind: "failed"; readonly id: number; readonly message: string; readonly code: string };
