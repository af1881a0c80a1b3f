import type { CellId } from "#schema/domain/cell.ts";
import type { Testimony } from "#schema/domain/cell-health.ts";
import type { Contact } from "./port.ts";

export type ContactVerdict =
  | { readonly kind: "accepted"; readonly isNews: boolean }
  | { readonly kind: "quarantined"; readonly incarnation: number };

/** A cell syncs at this pace or faster (design §4.5). */
export const SYNC_PACE_MS = 2_000;

/** When a cell was last heard of, and since when it has been without a gap. */
export type Heard = { readonly at: number; readonly since: number };
type Given = Testimony & { readonly at: number };

/** Who was heard of, in memory: a sync with nothing new writes nothing. A new writer learns it again within one sync. */
export class Contacts {
  readonly #incarnations = new Map<CellId, number>();
  readonly #heard = new Map<CellId, Heard>();
  /** By subject, then by witness. */
  readonly #testimonies = new Map<CellId, Map<CellId, Given>>();

  get size(): number {
    return this.#incarnations.size;
  }

  /** When anybody was last heard of. */
  get newestAt(): number {
    return Math.max(Number.NEGATIVE_INFINITY, ...[...this.#heard.values()].map(({ at }) => at));
  }

  /** A lower incarnation than one seen before is a clone or an old disk; a higher one, or another release, is news to be stored. */
  judge(contact: Contact): ContactVerdict {
    const known = Math.max(contact.knownIncarnation, this.#incarnations.get(contact.cell) ?? 0);
    if (contact.incarnation < known) return { kind: "quarantined", incarnation: known };
    return { kind: "accepted", isNews: contact.incarnation > contact.knownIncarnation || contact.release !== contact.knownRelease };
  }

  remember(contact: Contact, at: number): void {
    this.#incarnations.set(contact.cell, contact.incarnation);
    this.hear(contact.cell, at);
    for (const { cell: subject, isReachable } of contact.witness) {
      const given = this.#testimonies.get(subject) ?? new Map<CellId, Given>();
      given.set(contact.cell, { witness: contact.cell, isReachable, at });
      this.#testimonies.set(subject, given);
    }
  }

  /** The cell has called, whatever became of the call. */
  hear(cell: CellId, at: number): void {
    const before = this.#heard.get(cell);
    const isUnbroken = before !== undefined && at - before.at <= 2 * SYNC_PACE_MS;
    this.#heard.set(cell, { at, since: isUnbroken ? before.since : at });
  }

  heard(cell: CellId): Heard | undefined {
    return this.#heard.get(cell);
  }

  /** What was said of a cell since a time. */
  testimoniesOf(subject: CellId, since: number): Testimony[] {
    return [...(this.#testimonies.get(subject)?.values() ?? [])].filter(({ at }) => at > since);
  }
}
