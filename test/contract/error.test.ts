import { describe, expect, test } from "vitest";
import * as z from "zod";
import { AppError, ERRORS, type ErrorCode, Problem, parseInput, problemResponse } from "#schema/api/error.ts";
import { VinField } from "#schema/api/fields.ts";

/** Code, status and whether the same call may succeed later: changing a line breaks callers. */
const PINNED: readonly (readonly [ErrorCode, number, "retry" | "final"])[] = [
  ["bad_request", 400, "final"],
  ["validation_failed", 422, "final"],
  ["idempotency_key_required", 400, "final"],
  ["unauthenticated", 401, "final"],
  ["clock_skew", 401, "retry"],
  ["forbidden", 403, "final"],
  ["not_enrolled", 403, "final"],
  ["not_found", 404, "final"],
  ["method_not_allowed", 405, "final"],
  ["conflict", 409, "final"],
  ["join_token_used", 409, "final"],
  ["idempotency_in_flight", 409, "retry"],
  ["resnapshot", 410, "retry"],
  ["precondition_failed", 412, "final"],
  ["payload_too_large", 413, "final"],
  ["unsupported_media_type", 415, "final"],
  ["wrong_cell", 421, "final"],
  ["endpoint_not_allowed", 422, "final"],
  ["zone_mismatch", 422, "final"],
  ["idempotency_key_reused", 422, "final"],
  ["precondition_required", 428, "final"],
  ["rate_limited", 429, "retry"],
  ["internal", 500, "retry"],
  ["busy", 503, "retry"],
  ["no_capacity", 503, "retry"],
  ["no_cell_in_zone", 503, "retry"],
  ["placement_unavailable", 503, "retry"],
  ["edge_cold", 503, "retry"],
  ["database_unavailable", 503, "retry"],
  ["not_the_writer", 503, "retry"],
];

test("the error table stands as published", () => {
  const table = Object.entries(ERRORS).map(([code, { status, isRetryable }]) => [code, status, isRetryable ? "retry" : "final"]);
  expect(table).toEqual(PINNED);
});

describe.each(PINNED)("%s", (code, status, retry) => {
  const respond = () => problemResponse(new AppError(code, "what went wrong"), "request-1");

  test("is answered as problem+json that is never cached", async () => {
    const response = respond();
    expect(response.status).toBe(status);
    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    const problem = Problem.parse(await response.json());
    expect(problem).toEqual({
      type: `https://cloverleaf.dev/problems/${code.replaceAll("_", "-")}`,
      code,
      title: ERRORS[code].title,
      status,
      detail: "what went wrong",
      requestId: "request-1",
      retryable: retry === "retry",
    });
  });

  test("I11: says when to come again exactly when that can help", () => {
    expect(respond().headers.has("Retry-After")).toBe(retry === "retry");
  });
});

test("the caller's Retry-After, headers and clock are passed on, the cause is not", async () => {
  const options = { retryAfterSeconds: 7, headers: { Location: "https://c.example.com/" }, now: 1_000, cause: new Error("secret") };
  const response = problemResponse(new AppError("clock_skew", "off by an hour", options), "request-1");
  expect(response.headers.get("Retry-After")).toBe("7");
  expect(response.headers.get("Location")).toBe("https://c.example.com/");
  expect(response.headers.get("WWW-Authenticate")).toBe("Bearer");
  const body = await response.text();
  expect(JSON.parse(body)).toMatchObject({ now: 1_000 });
  expect(body).not.toContain("secret");
});

describe("parseInput", () => {
  const Body = z.strictObject({ vin: VinField, tags: z.array(z.string()), "a/b~c": z.int().optional() });

  const errorsOf = (input: unknown) => {
    try {
      parseInput(Body, input);
      return [];
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      expect(error.code).toBe("validation_failed");
      return error.options.errors ?? [];
    }
  };

  const good = { vin: "WVWZZZ1JZ3W386752", tags: [] };

  test("returns what fits", () => {
    expect(parseInput(Body, good)).toEqual(good);
  });

  test.each<readonly [string, unknown, readonly string[]]>([
    ["a field", { ...good, vin: "WVW" }, ["/vin"]],
    ["an item of a list", { ...good, tags: ["a", 1] }, ["/tags/1"]],
    ["a name that needs escaping (RFC 6901 §3)", { ...good, "a/b~c": "x" }, ["/a~1b~0c"]],
    ["the whole body", "text", [""]],
    ["the whole body for a member too many", { ...good, more: 1 }, [""]],
    ["every fault at once", { vin: 1, tags: {} }, ["/vin", "/tags"]],
  ])("points to %s", (_, input, pointers) => {
    expect(errorsOf(input).map(({ pointer }) => pointer)).toEqual(pointers);
  });

  test("says what is wrong with a VIN in the VIN policy's words", () => {
    expect(errorsOf({ ...good, vin: "WVWZZZOJZ3W386752" })).toEqual([
      { pointer: "/vin", detail: "a VIN has digits and upper-case letters except I, O and Q" },
    ]);
  });
});
