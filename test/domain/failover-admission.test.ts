import { describe, expect, test } from "vitest";
import { admit } from "#schema/domain/admission.ts";
import { device, factsOf, guest, moved, P, standingBy, standingIn, ticket, X } from "./admission-facts.ts";

describe("a vehicle of a cell for which this one stands in", () => {
  test("that moved there from here is a guest while that cell is failed over, with a ticket or its device credential", () => {
    for (const credential of [device, ticket(P, 5), ticket(P, 5, { isFailover: true })]) {
      const admission = admit(factsOf({ ...standingIn, record: moved(5, P), credential }));
      expect(admission).toMatchObject({ kind: "admit", row: 10, as: "guest", guestOf: P });
    }
  });

  test("waits for one sync when it knows of the failover before this cell does", () => {
    const credential = ticket(P, 5, { isFailover: true });
    expect(admit(factsOf({ ...standingBy, record: moved(5, P), credential }))).toMatchObject({ row: 11, refusal: "busy" });
  });

  test("is sent to that cell while it serves", () => {
    expect(admit(factsOf({ ...standingBy, record: moved(5, P), credential: ticket(P, 5) }))).toMatchObject({ row: 9, reference: P });
    expect(admit(factsOf({ ...standingBy, record: moved(5, P) }))).toMatchObject({ row: 9, reference: P });
  });

  test("I1: one that moved to a third cell is sent there, whatever an old replica lists", () => {
    const facts = { ...standingIn, replicas: [P], record: moved(5, X) };
    expect(admit(factsOf(facts))).toMatchObject({ row: 9, reference: X });
    expect(admit(factsOf({ ...facts, credential: ticket(P, 4) }))).toMatchObject({ row: 9, reference: X });
  });

  test("I2: and taken in again when a newer ticket says that it belongs to the failed-over cell now", () => {
    expect(admit(factsOf({ ...standingIn, record: moved(5, X), credential: ticket(P, 6) }))).toMatchObject({ row: 10, guestOf: P });
  });

  test("a guest stays one until it has returned, whatever newer epoch of its owner it shows, by an expired ticket too", () => {
    for (const isExpired of [false, true]) {
      const admission = admit(factsOf({ ...standingBy, record: guest(5), credential: ticket(P, 6, { isExpired }) }));
      expect(admission).toMatchObject({ kind: "refuse", learn: null });
    }
  });

  test("a returned guest is one again in the next failover", () => {
    expect(admit(factsOf({ ...standingIn, record: guest(5, true) }))).toMatchObject({ row: 10, as: "guest" });
  });
});
