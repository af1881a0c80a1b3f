import { describe, expect, test } from "vitest";
import { ExplainAnswer } from "#schema/api/route.ts";
import { generateSigningJwk, importSigningKey, publicJwkOf } from "#schema/crypto/keys.ts";
import { signOperatorToken } from "#schema/crypto/operator-token.ts";
import type { OperatorRole } from "#schema/domain/role.ts";
import { createTestRouter, type TestRouter } from "./support/router.ts";
import { deviceToken, freshVin, ownerToken, topologyOf, vinKeyOf } from "./support/world.ts";

const OPERATORS = "https://operators.example";
const key = await generateSigningJwk("operator");

const setup = async () => {
  const issuers = [...topologyOf().issuers, { issuer: OPERATORS, kind: "operator" as const, wmis: [], keys: [publicJwkOf(key)] }];
  const router = await createTestRouter({ topology: topologyOf({ issuers, ruleSetVersion: 3 }) });
  const vin = freshVin();
  await router.assign(vin, "cell-a", 4);
  return { router, vin };
};

const operatorToken = async (router: TestRouter, roles: readonly OperatorRole[] = ["viewer"]) =>
  signOperatorToken(await importSigningKey(key), { subject: "grace", issuer: OPERATORS, roles, nowMs: router.clock.now() });
const explain = (router: TestRouter, vin: string, token: string) =>
  router.app.request(`/v1/explain?vin=${encodeURIComponent(vin)}`, { headers: { Authorization: `Bearer ${token}` } });

describe("GET /v1/explain", () => {
  test("names every part of the decision, its age and origin, and control's own word beside it", async () => {
    const { router, vin } = await setup();
    await router.place(vin, "cell-b", 5, "assigned");
    const token = await operatorToken(router);
    const first = ExplainAnswer.parse(await (await explain(router, vin, token)).json());
    expect(first).toMatchObject({
      pop: "pop-1",
      vinKey: await vinKeyOf(vin),
      decision: { cell: "cell-a", owner: "cell-a", epoch: 4, reason: "assigned" },
      record: { cell: "cell-a", epoch: 4, origin: "kv", ageSeconds: 0 },
      topology: { version: 7, origin: "kv", isCanary: false },
      owner: { state: "active", health: "healthy", standby: "cell-b" },
      failover: null,
      ruleSetVersion: 3,
      truth: { cell: "cell-b", epoch: 5 },
    });
    await router.clock.advance(2_000);
    const second = ExplainAnswer.parse(await (await explain(router, vin, token)).json());
    expect(second.record).toMatchObject({ origin: "isolate", ageSeconds: 2, epoch: 4 });
  });

  test("places nobody: a vehicle without a record is explained as such, and control not asked", async () => {
    const { router } = await setup();
    const answer = ExplainAnswer.parse(await (await explain(router, freshVin(), await operatorToken(router))).json());
    expect(answer).toMatchObject({ decision: null, record: null, owner: null, truth: null });
    expect(router.control.state.asked).toEqual([]);
  });

  test("is for operators: vehicles, owners, tokens without a role and strangers are refused", async () => {
    const { router, vin } = await setup();
    const nowMs = router.clock.now();
    const tokens = [await deviceToken(vin, nowMs), await ownerToken([{ vin, role: "owner" }], nowMs), await operatorToken(router, [])];
    for (const token of tokens) expect((await explain(router, vin, token)).status).toBe(401);
    expect((await router.app.request(`/v1/explain?vin=${vin}`)).status).toBe(401);
  });

  test("a VIN that is none is a bad request", async () => {
    const { router } = await setup();
    expect((await explain(router, "nonsense", await operatorToken(router))).status).toBe(400);
  });
});
