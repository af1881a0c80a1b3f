import { describe, expect, test } from "vitest";
import { chooseReference, isSameEndpoint } from "./reference.ts";

const HERE = "mqtts://a.cells.test:8883";

describe("I5: a Server Reference", () => {
  test.each([
    ["a URL", "mqtts://b.cells.test:8883", "mqtts://b.cells.test:8883"],
    ["a host and port take the current scheme", "b.cells.test:8884", "mqtts://b.cells.test:8884"],
    ["a bare host", "b.cells.test", "mqtts://b.cells.test"],
    ["the first allowed of a list", "mqtts://evil.test b.cells.test:1 c.cells.test:2", "mqtts://b.cells.test:1"],
    ["WebSocket over TLS", "wss://b.cells.test/mqtt", "wss://b.cells.test/mqtt"],
    ["the suffix itself", "cells.test:8883", "mqtts://cells.test:8883"],
  ])("%s is followed", (_, reference, expected) => {
    expect(chooseReference(reference, HERE, ["cells.test"])).toBe(expected);
  });

  test.each([
    ["nothing", null],
    ["an empty one", ""],
    ["a host that only ends alike", "mqtts://evil-cells.test"],
    ["an allowed name as user information", "mqtts://b.cells.test@evil.test"],
    ["credentials", "mqtts://user:secret@b.cells.test"],
    ["a plain connection from TLS", "mqtt://b.cells.test:1883"],
    ["another scheme", "http://b.cells.test"],
    ["an encoded host", "mqtts://evil.test%2f.cells.test"],
    ["nonsense", "://"],
  ])("%s is not followed", (_, reference) => {
    expect(chooseReference(reference, HERE, ["cells.test"])).toBeNull();
  });

  test("a vehicle on the lab's plain listener may stay on plain connections", () => {
    expect(chooseReference("127.0.0.1:1885", "mqtt://127.0.0.1:1884", ["127.0.0.1"])).toBe("mqtt://127.0.0.1:1885");
  });
});

describe("endpoints", () => {
  test.each([
    ["mqtts://a.cells.test", "mqtts://a.cells.test:8883", true],
    ["mqtts://a.cells.test/", "mqtts://a.cells.test:8883", true],
    ["mqtts://a.cells.test:8883", "mqtt://a.cells.test:8883", false],
    ["mqtts://a.cells.test", "mqtts://a.cells.test:8884", false],
    ["mqtts://a.cells.test", "mqtts://b.cells.test", false],
    [null, undefined, false],
  ])("%s and %s are the same: %s", (one, other, expected) => {
    expect(isSameEndpoint(one, other)).toBe(expected);
  });
});
