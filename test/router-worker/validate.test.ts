import { describe, expect, test } from "vitest";
import { ValidateAnswer } from "#schema/api/route.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { createTestRouter, type TestRouter } from "./support/router.ts";
import { deviceToken, freshVin } from "./support/world.ts";

const setup = async () => {
  const router = await createTestRouter();
  const vin = freshVin();
  await router.assign(vin, "cell-a", 4);
  return { router, vin };
};

const post = async (router: TestRouter, vin: Vin, body: string, headers: Record<string, string> = {}) =>
  router.app.request("/v1/route/validate", {
    method: "POST",
    headers: { Authorization: `Bearer ${await deviceToken(vin, router.clock.now())}`, "Content-Type": "application/json", ...headers },
    body,
  });
const validate = async (router: TestRouter, vin: Vin, cached: unknown) => {
  const response = await post(router, vin, JSON.stringify(cached));
  expect(response.status).toBe(200);
  return ValidateAnswer.parse(await response.json());
};

describe("POST /v1/route/validate", () => {
  test("what would be answered again is valid", async () => {
    const { router, vin } = await setup();
    expect(await validate(router, vin, { cell: "cell-a", epoch: 4 })).toEqual({ state: "valid", steps: [], topologyVersion: 7 });
  });

  test("an older cache is told where the vehicle went", async () => {
    const { router, vin } = await setup();
    const answer = await validate(router, vin, { cell: "cell-b", epoch: 3 });
    expect(answer).toMatchObject({
      state: "moved",
      steps: [
        { action: "resolve", minEpoch: 4 },
        { action: "connect", cell: "cell-a" },
      ],
    });
  });

  test("I5: a vehicle that knows a newer epoch than the edge makes the edge ask control", async () => {
    const { router, vin } = await setup();
    await router.place(vin, "cell-b", 5, "assigned");
    expect(await validate(router, vin, { cell: "cell-b", epoch: 5 })).toMatchObject({ state: "valid" });
    expect(router.control.state.asked).toHaveLength(1);
  });

  test("a vehicle that control does not know is to be enrolled; with control away it asks again", async () => {
    const { router } = await setup();
    router.control.state.mode = "not_enrolled";
    expect(await validate(router, freshVin(), { cell: "cell-a", epoch: 2 })).toMatchObject({
      state: "unknown",
      steps: [{ action: "enrol" }],
    });
    router.control.state.mode = "down";
    expect(await validate(router, freshVin(), { cell: "cell-a", epoch: 2 })).toMatchObject({
      state: "unknown",
      steps: [{ action: "resolve", minEpoch: 2 }],
    });
  });

  test.each([
    ["no JSON", "{", {}, 400, "bad_request"],
    ["another media type", "{}", { "Content-Type": "text/plain" }, 415, "unsupported_media_type"],
    ["a body over 4 KiB", JSON.stringify({ pad: "x".repeat(5_000) }), {}, 413, "payload_too_large"],
    ["a missing member", JSON.stringify({ cell: "cell-a" }), {}, 422, "validation_failed"],
    ["an unknown member", JSON.stringify({ cell: "cell-a", epoch: 1, admin: true }), {}, 422, "validation_failed"],
    ["an epoch that is no integer", JSON.stringify({ cell: "cell-a", epoch: 2 ** 53 }), {}, 422, "validation_failed"],
  ] as const)("%s is refused with a clear problem", async (_, body, headers, status, code) => {
    const { router, vin } = await setup();
    const response = await post(router, vin, body, headers);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
  });
});
