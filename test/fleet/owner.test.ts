import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { isVin, parseVin } from "#schema/domain/vin.ts";
import { storedIds } from "./audit.ts";
import { callCell } from "./owner.ts";

const VIN = parseVin("WVWZZZ1JZXW000001");
if (!isVin(VIN)) throw new Error(VIN.detail);
const vin = VIN;

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

type Said = { readonly status: number; readonly headers?: Record<string, string>; readonly body?: unknown };

/** A cell over real HTTP that says what the test says and keeps what it was asked. */
const cellUp = async (say: (request: IncomingMessage, count: number) => Said) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    const { status, headers, body } = say(request, asked.length);
    response.writeHead(status, headers ?? {}).end(body === undefined ? "" : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUps.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
};

const callOf = (https: string, allowedHosts: readonly string[] = ["127.0.0.1"]) => ({ vin, https, allowedHosts, token: "owner" });

describe("an owner's app", () => {
  test.each([307, 421])("I5: follows %i by hand, its credential and body sent again", async (status) => {
    const right = await cellUp(() => ({ status: 200 }));
    const wrong = await cellUp((request) => ({ status, headers: { Location: `${right.url}${request.url}` } }));
    const response = await callCell(callOf(wrong.url), "/v1/x", { method: "POST", body: "{}" });
    expect(response.status).toBe(200);
    expect(right.asked).toEqual(["POST /v1/x Bearer owner"]);
  });

  test("I5: sends its credential to allow-listed hosts only", async () => {
    const other = await cellUp(() => ({ status: 200 }));
    const wrong = await cellUp(() => ({ status: 307, headers: { Location: other.url } }));
    expect((await callCell(callOf(wrong.url, ["cells.test"]), "/v1/x")).status).toBe(307);
    expect(other.asked).toEqual([]);
  });

  test("I5: gives up on cells that send it round in circles", async () => {
    const circle = await cellUp((request) => ({ status: 307, headers: { Location: request.url ?? "" } }));
    expect((await callCell(callOf(circle.url), "/v1/x")).status).toBe(307);
    expect(circle.asked).toHaveLength(4);
  });

  test("I11: comes back after Retry-After", async () => {
    const busy = await cellUp((_, count) => (count === 1 ? { status: 503, headers: { "Retry-After": "0" } } : { status: 200 }));
    expect((await callCell(callOf(busy.url), "/v1/x")).status).toBe(200);
  });
});

describe("reading back", () => {
  const item = (id: string) => ({ id, receivedAt: "2030-01-01T00:00:00.000Z", payload: {} });
  const page = (ids: readonly string[], cursor: string | null) => ({
    status: 200,
    body: { items: ids.map(item), cursor, completeFrom: "2030-01-01T00:00:00.000Z" },
  });

  test("takes every page", async () => {
    const cell = await cellUp((request) => (request.url?.includes("cursor=next") ? page(["c"], null) : page(["a", "b"], "next")));
    expect(await storedIds(callOf(cell.url), new Date(0))).toEqual(["a", "b", "c"]);
    expect(cell.asked).toHaveLength(2);
  });

  test("a cell that has given the vehicle up is told apart from one that fails, and not followed", async () => {
    const gone = await cellUp(() => ({ status: 421, headers: { Location: "http://127.0.0.1:1/" } }));
    const broken = await cellUp(() => ({ status: 500 }));
    expect(await storedIds(callOf(gone.url), new Date(0))).toBeNull();
    await expect(storedIds(callOf(broken.url), new Date(0))).rejects.toThrow("500");
  });
});
