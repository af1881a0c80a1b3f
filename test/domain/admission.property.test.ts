import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AdmissionFacts, admit, type Credential, type VehicleRecord } from "#schema/domain/admission.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { factsOf, P, SELF, VIN, X } from "./admission-facts.ts";

const cells = [SELF, P, X];
const anyCell = fc.constantFrom(...cells);
const otherCell = fc.constantFrom(P, X);
const anyEpoch = fc.integer({ min: 1, max: 6 });
const someOthers = fc.subarray([P, X]);

const anyTicket: fc.Arbitrary<Credential> = fc.record({
  kind: fc.constant("ticket" as const),
  vin: fc.constant(VIN),
  cell: anyCell,
  epoch: anyEpoch,
  isFailover: fc.boolean(),
  isExpired: fc.boolean(),
});

const anyCredential: fc.Arbitrary<Credential> = fc.oneof(
  fc.record({ kind: fc.constant("unverifiable" as const), isKeyUnknown: fc.boolean() }),
  fc.constant({ kind: "device" as const, vin: VIN }),
  anyTicket,
);

const anyRecord: fc.Arbitrary<VehicleRecord | null> = fc.oneof(
  fc.constant(null),
  fc.record({ state: fc.constantFrom("owned" as const, "locked" as const, "copied" as const), epoch: anyEpoch }),
  fc.record({ state: fc.constant("moved" as const), epoch: anyEpoch, movedTo: otherCell }),
  fc.record({ state: fc.constant("guest" as const), epoch: anyEpoch, owner: otherCell, isReturned: fc.boolean() }),
);

const anyFacts: fc.Arbitrary<AdmissionFacts> = fc
  .record({
    isOverBudget: fc.boolean(),
    claimedVin: fc.constantFrom(VIN, VIN, VIN, "WVWZZZ1JZ3W386753", null),
    credential: anyCredential,
    record: anyRecord,
    isTableComplete: fc.boolean(),
    standbyFor: someOthers,
    failedOver: someOthers,
    replicas: someOthers,
  })
  .map((facts) => {
    const within = (some: readonly CellId[]) => some.filter((id) => facts.standbyFor.includes(id));
    return factsOf({ ...facts, failedOver: within(facts.failedOver), replicas: within(facts.replicas) });
  });

const check = (holds: (facts: AdmissionFacts) => void) => fc.assert(fc.property(anyFacts, holds), { numRuns: 5_000 });
const epochOf = ({ credential }: AdmissionFacts): number => (credential.kind === "ticket" ? credential.epoch : 0);

describe("admission, for all facts", () => {
  test("is total: some row answers", () => {
    const rows = Array.from({ length: 13 }, (_, index) => index + 1);
    check((facts) => {
      expect(rows).toContain(admit(facts).row);
    });
  });

  test("never admits an unverifiable or expired credential", () => {
    check((facts) => {
      const { credential } = facts;
      const isGood = credential.kind === "device" || (credential.kind === "ticket" && !credential.isExpired);
      expect(admit(facts).kind === "refuse" || isGood).toBe(true);
    });
  });

  test("never admits a vehicle that is locked, nor one that calls itself otherwise than its credential", () => {
    check((facts) => {
      if (facts.record?.state !== "locked" && facts.claimedVin === VIN) return;
      expect(admit(facts).kind).toBe("refuse");
    });
  });

  test("never admits while the table is incomplete or the budget is used up", () => {
    check((facts) => {
      if (facts.isTableComplete && !facts.isOverBudget) return;
      expect(admit(facts).kind).toBe("refuse");
    });
  });

  test("I2: what is learnt is always newer than the record", () => {
    check((facts) => {
      const { learn } = admit(facts);
      if (learn !== null) expect(learn.epoch).toBeGreaterThan(facts.record?.epoch ?? 0);
    });
  });

  test("I2: a newer epoch always wins: elsewhere the cell yields, but for a guest of that very cell; here it takes over", () => {
    check((facts) => {
      const { credential, record } = facts;
      if (facts.isOverBudget || !facts.isTableComplete || facts.claimedVin !== VIN) return;
      if (credential.kind !== "ticket" || record === null || credential.epoch <= record.epoch) return;
      const admission = admit(facts);
      if (credential.cell === SELF) {
        if (!credential.isExpired) expect(admission.learn?.epoch).toBe(credential.epoch);
      } else if (admission.kind === "admit") {
        expect([admission.as, admission.guestOf]).toEqual(["guest", credential.cell]);
      } else if (record.state === "guest" && record.owner === credential.cell) {
        expect(admission.learn).toBeNull();
      } else {
        expect(admission.learn).toEqual({ state: "moved", epoch: credential.epoch, movedTo: credential.cell });
      }
    });
  });

  test("I1: on the newest evidence at hand, only the owner admits as owner, only its failed-over standby as guest", () => {
    check((facts) => {
      const admission = admit(facts);
      if (admission.kind === "refuse") return;
      const { credential, record } = facts;
      const isTicketNewest = credential.kind === "ticket" && epochOf(facts) > (record?.epoch ?? 0);
      if (admission.as === "owner") {
        expect(isTicketNewest ? credential.cell === SELF : record?.state === "owned").toBe(true);
        return;
      }
      const owner = admission.guestOf ?? SELF;
      expect(facts.failedOver).toContain(owner);
      if (isTicketNewest) expect(owner).toBe(credential.cell);
    });
  });
});

/** A true history: the owner at each epoch, from 1. Every cell has heard all of it; perhaps the present owner is failed over to its standby. */
type World = { readonly owners: readonly CellId[]; readonly standby: CellId; readonly isFailedOver: boolean };

const anyWorld: fc.Arbitrary<World> = fc
  .record({ owners: fc.array(anyCell, { minLength: 1, maxLength: 6 }), isFailedOver: fc.boolean(), offset: fc.integer({ min: 1, max: 2 }) })
  .map(({ owners, isFailedOver, offset }) => {
    const owner = owners.at(-1) ?? SELF;
    const [standby = SELF] = cells.slice((cells.indexOf(owner) + offset) % cells.length);
    return { owners, standby, isFailedOver };
  });

const ownerOf = ({ owners }: World): CellId => owners.at(-1) ?? SELF;

const recordIn = (world: World, self: CellId): VehicleRecord | null => {
  const epoch = world.owners.length;
  if (ownerOf(world) === self) return { state: "owned", epoch };
  return world.owners.includes(self) ? { state: "moved", epoch, movedTo: ownerOf(world) } : null;
};

const factsIn = (world: World, self: CellId, credential: Credential): AdmissionFacts => {
  const paired = self === world.standby ? [ownerOf(world)] : [];
  return factsOf({
    self,
    credential,
    record: recordIn(world, self),
    standbyFor: paired,
    failedOver: world.isFailedOver ? paired : [],
    replicas: paired,
  });
};

/** What the vehicle may hold: its device credential, or a ticket of any epoch of the history, fresh or expired. */
const credentialIn = (world: World, epoch: number, isExpired: boolean): Credential => {
  const owner = world.owners[epoch - 1];
  if (owner === undefined) return { kind: "device", vin: VIN };
  return { kind: "ticket", vin: VIN, cell: owner, epoch, isFailover: world.isFailedOver, isExpired };
};

test("I1: in a world that every cell has heard of, nobody but the owner or its standby ever admits", () => {
  fc.assert(
    fc.property(anyWorld, fc.integer({ min: 0, max: 6 }), fc.boolean(), (world, epoch, isExpired) => {
      const credential = credentialIn(world, epoch, isExpired);
      const admitting = cells.filter((self) => admit(factsIn(world, self, credential)).kind === "admit");
      const lawful = [ownerOf(world), ...(world.isFailedOver ? [world.standby] : [])];
      expect(lawful).toEqual(expect.arrayContaining(admitting));
      const isGood = credential.kind === "device" || !isExpired;
      expect(admitting.includes(ownerOf(world))).toBe(isGood);
    }),
    { numRuns: 5_000 },
  );
});

test("I5: in such a world every refusal that names a cell names the owner, unless the vehicle itself brought older news", () => {
  fc.assert(
    fc.property(anyWorld, fc.integer({ min: 0, max: 6 }), (world, epoch) => {
      const credential = credentialIn(world, epoch, false);
      for (const self of cells) {
        const admission = admit(factsIn(world, self, credential));
        if (admission.kind !== "refuse" || admission.reference === null) continue;
        const brought = credential.kind === "ticket" ? [credential.cell] : [];
        expect([ownerOf(world), ...brought]).toContain(admission.reference);
      }
    }),
    { numRuns: 2_000 },
  );
});
