import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import { AppError } from "#schema/api/error.ts";
import { createLogger } from "#schema/http/log.ts";
import { problemNotFound, problemOnError, REQUEST_ID_HEADER, requestId } from "#schema/http/problems.ts";

const setUp = () => {
  const lines: string[] = [];
  const app = new Hono()
    .use(requestId)
    .get("/fine", (c) => c.text("fine"))
    .get("/elsewhere", () => Response.redirect("https://c.example.com/", 307))
    .get("/refused", () => {
      throw new AppError("busy", "come again", { cause: new Error("the disk is full") });
    })
    .get("/broken", () => {
      throw new Error("password=hunter2");
    })
    .notFound(problemNotFound)
    .onError(problemOnError(createLogger("test", "info", (line) => lines.push(line))));
  return { app, lines };
};

describe("request id", () => {
  test.each(["/fine", "/elsewhere", "/refused", "/broken", "/nowhere"])("of the caller is repeated in the answer of %s", async (path) => {
    const response = await setUp().app.request(path, { headers: { [REQUEST_ID_HEADER]: "caller-1234" } });
    expect(response.headers.get(REQUEST_ID_HEADER)).toBe("caller-1234");
  });

  test.each(["", "short", "a".repeat(65), "with space", 'quote"quote"'])("%j is replaced by one of our own", async (given) => {
    const response = await setUp().app.request("/fine", { headers: { [REQUEST_ID_HEADER]: given } });
    expect(response.headers.get(REQUEST_ID_HEADER)).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe("errors", () => {
  test("that are known are answered as they are and their cause is logged, not sent", async () => {
    const { app, lines } = setUp();
    const response = await app.request("/refused", { headers: { [REQUEST_ID_HEADER]: "caller-1234" } });
    expect(response.status).toBe(503);
    const body = await response.text();
    expect(JSON.parse(body)).toMatchObject({ code: "busy", detail: "come again", requestId: "caller-1234" });
    expect(body).not.toContain("disk");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: "warn", requestId: "caller-1234", cause: { message: "the disk is full" } },
    ]);
  });

  test("that are unknown are answered internal, and only the log says what they were", async () => {
    const { app, lines } = setUp();
    const response = await app.request("/broken");
    expect(response.status).toBe(500);
    const body = await response.text();
    expect(body).not.toContain("hunter2");
    const { requestId: id, code } = JSON.parse(body);
    expect(code).toBe("internal");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: "error", requestId: id, error: { message: "password=hunter2" } },
    ]);
  });

  test("of an unknown path are problems too", async () => {
    const response = await setUp().app.request("/nowhere");
    expect([response.status, response.headers.get("Content-Type")]).toEqual([404, "application/problem+json"]);
  });
});

describe("log", () => {
  test("writes one JSON object a line, from its level up", () => {
    const lines: string[] = [];
    const logger = createLogger("cell-node", "warn", (line) => lines.push(line));
    logger.info("not written");
    logger.warn("two\nlines", { vinKey: "k" });
    expect(lines.map((line) => line.includes("\n"))).toEqual([false]);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: "warn", program: "cell-node", message: "two\nlines", vinKey: "k" },
    ]);
  });

  test("follows an error to its cause", () => {
    const lines: string[] = [];
    const cause = new TypeError("root");
    createLogger("test", "info", (line) => lines.push(line)).error("failed", { error: new Error("outer", { cause }) });
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      error: { name: "Error", message: "outer", cause: { name: "TypeError", message: "root" } },
    });
  });
});
