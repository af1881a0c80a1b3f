import { describe, expect, test } from "vitest";
import { isTicketFresh, parseTicket, TICKET_LIFETIME_SECONDS, TICKET_MIN_LEFT_SECONDS } from "#schema/domain/ticket.ts";
import { vinKey } from "./samples.ts";

const claims = {
  iss: "pop-1",
  sub: "WVWZZZ1JZ3W386752",
  aud: ["cell-a", "cell-b"],
  cell: "cell-a",
  epoch: 3,
  reason: "assigned",
  topologyVersion: 7,
  vinKey: vinKey(1),
  iat: 1_000,
  exp: 1_600,
};

describe("parseTicket", () => {
  test("reads a ticket, and nothing but its own claims", () => {
    expect(parseTicket({ ...claims, jti: "x" })).toEqual(claims);
  });

  test("reads a single audience as a list of one", () => {
    expect(parseTicket({ ...claims, aud: "cell-a" })?.aud).toEqual(["cell-a"]);
  });

  test.each([
    ["iss", 1],
    ["sub", "WVWZZZ1JZ3W38675"],
    ["sub", undefined],
    ["aud", []],
    ["aud", ["cell-a", "CELL B"]],
    ["aud", undefined],
    ["cell", "CELL A"],
    ["cell", undefined],
    ["epoch", 0],
    ["epoch", 1.5],
    ["epoch", "3"],
    ["epoch", 2 ** 53],
    ["reason", "because"],
    ["topologyVersion", -1],
    ["vinKey", "short"],
    ["iat", undefined],
    ["exp", Number.NaN],
  ])("%s %j is no ticket", (name, value) => {
    expect(parseTicket({ ...claims, [name]: value })).toBeNull();
  });
});

test("a ticket is handed out only with five of its ten minutes left", () => {
  expect([TICKET_LIFETIME_SECONDS, TICKET_MIN_LEFT_SECONDS]).toEqual([600, 300]);
  expect([1_299, 1_300, 1_301].map((now) => isTicketFresh({ exp: 1_600 }, now))).toEqual([true, true, false]);
});
