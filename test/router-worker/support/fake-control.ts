import { decodeJwt } from "jose";
import { AppError, type ErrorCode, problemResponse } from "#schema/api/error.ts";
import { createBreaker } from "../../../router-worker/breaker.ts";
import type { ControlTarget } from "../../../router-worker/control-client.ts";
import { DEFAULT_SETTINGS } from "../../../router-worker/settings.ts";
import type { FakeClock } from "./fake-clock.ts";

type Assigned = { readonly cell: string; readonly epoch: number; readonly reason: "assigned" | "placed" };
type Mode = "up" | "down" | "hangs" | ErrorCode;

/** Whether the caller's assertion is more than a minute off this clock. */
const isSkewed = (request: Request, nowMs: number): boolean => {
  const { iat = 0 } = decodeJwt((request.headers.get("Authorization") ?? "").slice("Bearer ".length));
  return Math.abs(iat * 1000 - nowMs) > 60_000;
};

/** A control-worker in memory: it knows some vehicles, refuses or fails as told, and remembers who asked. */
export const createFakeControl = (clock: FakeClock, vinKeyOf: (vin: string) => string, name = "control") => {
  const assignments = new Map<string, Assigned>();
  const state = { mode: "up" as Mode, topology: null as string | null, asked: [] as Request[], skewMs: 0 };

  const place = async (request: Request): Promise<Response> => {
    const { vin } = (await request.json()) as { vin: string };
    const assigned = assignments.get(vin);
    if (assigned === undefined) return problemResponse(new AppError("no_capacity", "full"), "test");
    return Response.json({ vinKey: vinKeyOf(vin), ...assigned });
  };

  const answer = async (request: Request): Promise<Response> => {
    state.asked.push(request.clone());
    if (state.mode === "down") throw new TypeError("connection refused");
    if (state.mode === "hangs") {
      return new Promise((_, reject) => request.signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError"))));
    }
    if (state.mode !== "up") return problemResponse(new AppError(state.mode, "as told"), "test");
    const now = clock.now() + state.skewMs;
    if (isSkewed(request, now)) return problemResponse(new AppError("clock_skew", "the clock is off", { now }), "test");
    if (new URL(request.url).pathname === "/v1/placements") return place(request);
    return state.topology === null ? new Response(null, { status: 404 }) : new Response(state.topology);
  };

  const target: ControlTarget = { name, fetch: answer, breaker: createBreaker(clock, DEFAULT_SETTINGS.control.breaker) };
  return { target, assignments, state };
};
export type FakeControl = ReturnType<typeof createFakeControl>;
