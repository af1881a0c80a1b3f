import type { CellId } from "#schema/domain/cell.ts";
import type { Contact } from "./port.ts";

export type ContactVerdict =
  | { readonly kind: "accepted"; readonly isNews: boolean }
  | { readonly kind: "quarantined"; readonly incarnation: number };

export type SeenContact = Contact & { readonly at: number };

/** Who was heard of, in memory: a sync with nothing new writes nothing. A new writer learns it again within one sync. */
export class Contacts {
  readonly #seen = new Map<CellId, SeenContact>();

  get size(): number {
    return this.#seen.size;
  }

  /** A lower incarnation than one seen before is a clone or an old disk; a higher one, or another release, is news to be stored. */
  judge(contact: Contact): ContactVerdict {
    const seen = this.#seen.get(contact.cell);
    const known = Math.max(contact.knownIncarnation, seen?.incarnation ?? 0);
    if (contact.incarnation < known) return { kind: "quarantined", incarnation: known };
    return { kind: "accepted", isNews: contact.incarnation > contact.knownIncarnation || contact.release !== contact.knownRelease };
  }

  remember(contact: Contact, at: number): void {
    this.#seen.set(contact.cell, { ...contact, at });
  }
}
