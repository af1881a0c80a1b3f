import { expect } from "vitest";
import { RouteAnswer } from "#schema/api/route.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { createTestRouter, type TestRouter } from "./router.ts";
import { freshVin } from "./world.ts";

/** A router, and a vehicle that KV has at cell-a, epoch 4. */
export const routerWithVehicle = async (options: Parameters<typeof createTestRouter>[0] = {}) => {
  const router = await createTestRouter(options);
  const vin = freshVin();
  await router.assign(vin, "cell-a", 4);
  return { router, vin };
};

/** The answer of a response that must be one. */
export const answerOf = async (response: Response) => {
  expect(response.status).toBe(200);
  return RouteAnswer.parse(await response.json());
};

export const STEP_MS = 50;

/** Asks, and lets the clock run for as long as nothing else happens; answers with the time that passed, within a step. */
export const askInTime = async (router: TestRouter, vin: Vin) => {
  const startedAtMs = router.clock.now();
  let response: Response | undefined;
  const asked = router.ask(vin).then((value) => {
    response = value;
  });
  await router.clock.advance(0);
  while (response === undefined) await router.clock.advance(STEP_MS);
  await asked;
  return { response, tookMs: router.clock.now() - startedAtMs };
};
