import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Problem } from "#schema/api/error.ts";
import { OPERATOR_ROLES, type OperatorRole } from "#schema/domain/role.ts";
import { OPERATIONS } from "../../control-worker/app.ts";
import { leastRoleOf } from "../../control-worker/auth.ts";
import type { Operation } from "../../control-worker/operation.ts";
import { type Answer, type Control, call, createControl } from "./support/control.ts";
import { addCell, addPop, assertionOf, createMember, type Member, vinOf } from "./support/fleet.ts";
import { addApiToken } from "./support/operators.ts";

let control: Control;
let cell: Member;
let pop: Member;

beforeAll(async () => {
  control = await createControl();
  cell = await createMember("cell-a");
  pop = await createMember("pop-1");
  await addCell(control, cell);
  await addPop(control, pop);
});
afterAll(() => control.close());

const SAMPLES: Readonly<Record<string, string>> = { vin: vinOf(1), version: "1", subject: "somebody", id: "cell-a" };
const pathOf = ({ path }: Operation): string =>
  path.replaceAll(/:(\w+)/g, (_, name: string) => (name === "id" && !path.startsWith("/v1/cells") ? randomUUID() : (SAMPLES[name] ?? "x")));
const nameOf = ({ method, path }: Operation): string => `${method.toUpperCase()} ${path}`;

const HEADERS = { "If-Match": "*" };
const send = (operation: Operation, token: string | null, body?: unknown): Promise<Answer> => {
  const needsBody = operation.body !== undefined || operation.streams !== undefined;
  const type = operation.streams?.[0] ?? "application/json";
  return call(control.app, operation.method.toUpperCase(), pathOf(operation), {
    token,
    headers: { ...HEADERS, "Idempotency-Key": randomUUID(), ...(needsBody && { "Content-Type": type }) },
    ...(needsBody && { body: body ?? "{}" }),
  });
};

/** A problem of the error table, complete, and nothing else. */
const expectProblem = (answer: Answer, status: number, code: string): void => {
  expect([answer.status, answer.json["code"], answer.text]).toEqual([status, code, answer.text]);
  expect(answer.headers.get("Content-Type")).toBe("application/problem+json");
  expect(Problem.parse(answer.json)).toEqual(answer.json);
};

const guarded = OPERATIONS.filter(({ access }) => !access.includes("anyone"));
const forOperators = guarded.filter(({ access }) => leastRoleOf(access) !== null);
const below = (least: OperatorRole): readonly OperatorRole[] => OPERATOR_ROLES.slice(0, OPERATOR_ROLES.indexOf(least));
const withTooLow = forOperators.flatMap((operation) =>
  below(leastRoleOf(operation.access) ?? "viewer").map((role) => ({ operation, role })),
);
/** Ending a right must never fail for want of a version. */
const REVOCATIONS = /api-tokens|grants|webhooks|pops/;
const taking = OPERATIONS.filter(({ body }) => body !== undefined);

const tokenFor = async ({ access }: Operation): Promise<string | null> => {
  if (access.includes("anyone")) return null;
  const role = leastRoleOf(access);
  if (role !== null) return addApiToken(control, { role });
  return assertionOf(control, access.includes("cell") ? cell : pop);
};

test("there are operations of every kind to call", () => {
  expect(guarded.length).toBeGreaterThan(15);
  expect(withTooLow.length).toBeGreaterThan(10);
  expect(taking.length).toBeGreaterThan(5);
});

describe("every operation of the table", () => {
  test.each(guarded.map((operation) => [nameOf(operation), operation] as const))(
    "%s answers 401 without a credential and to unknown ones",
    async (_, operation) => {
      for (const token of [null, "clv_unknown", "not.a.jwt"]) expectProblem(await send(operation, token), 401, "unauthenticated");
    },
  );

  test.each(withTooLow.map(({ operation, role }) => [nameOf(operation), role, operation] as const))(
    "%s answers 403 to a %s",
    async (_, role, operation) => {
      expectProblem(await send(operation, await addApiToken(control, { role })), 403, "forbidden");
    },
  );

  test.each(forOperators.map((operation) => [nameOf(operation), operation] as const))(
    "%s answers 403 to a token for another resource, 401 to one that has ended",
    async (_, operation) => {
      expectProblem(await send(operation, await addApiToken(control, { role: "admin", scopes: ["elsewhere"] })), 403, "forbidden");
      expectProblem(
        await send(operation, await addApiToken(control, { role: "admin", expiresAt: control.clock.now })),
        401,
        "unauthenticated",
      );
    },
  );

  test.each(taking.map((operation) => [nameOf(operation), operation] as const))(
    "%s refuses hostile bodies with problems of the table",
    async (_, operation) => {
      const token = await tokenFor(operation);
      for (const body of ["[]", '"text"', "42", "null", '{"\\u0000":1e400}']) {
        const answer = await send(operation, token, body);
        expect([body, answer.status]).toEqual([body, 422]);
        expectProblem(answer, 422, "validation_failed");
      }
      for (const body of ["{", "", "{'a':1}", `${"[".repeat(10_000)}`, "\u0000"])
        expectProblem(await send(operation, token, body), 400, "bad_request");
      expectProblem(await send(operation, token, new Uint8Array([0x22, 0xff, 0x22])), 400, "bad_request");
      expectProblem(await send(operation, token, `"${"x".repeat(operation.maxBodyBytes ?? 65_536)}"`), 413, "payload_too_large");
    },
  );

  test("whoever deletes or makes something for good says which version, or which call", () => {
    const unguarded = OPERATIONS.filter(
      ({ method, needsIfMatch, path }) => method === "delete" && !needsIfMatch && !REVOCATIONS.test(path),
    );
    expect(unguarded.map(nameOf)).toEqual([]);
  });
});
