import type { Context, Handler, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import * as z from "zod";
import { AppError, type ErrorCode, parseInput } from "#schema/api/error.ts";
import { requestIdOf } from "#schema/http/problems.ts";
import { type Access, actorOf, type Caller } from "./auth/caller.ts";
import { authenticate } from "./auth.ts";
import type { Deps } from "./deps.ts";
import { answerOnce } from "./idempotency.ts";
import { attribute, isAudited, targetOf } from "./origin.ts";

/** What a handler gets: everything parsed. */
export type Call<Params, Query, Body> = {
  readonly deps: Deps;
  readonly caller: Caller;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly request: Request;
  /** The version of If-Match, or null without one. */
  readonly expectedVersion: number | null;
};

export type Reply<Answer> = { readonly status?: number; readonly body: Answer; readonly version?: number } | Response;

type Spec<Params, Query, Body, Answer> = {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** Hono's notation: `/v1/cells/:id`. */
  readonly path: string;
  readonly summary: string;
  /** Callers it is for; of the roles only the least one is named. */
  readonly access: Access;
  /** Whether a call without If-Match answers 428. */
  readonly needsIfMatch?: boolean;
  /** Whether a repeated Idempotency-Key answers what it answered the first time; `required` answers 400 without one. */
  readonly idempotency?: "accepted" | "required";
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
  /** Media types of a body that the handler reads itself, as a stream. */
  readonly streams?: readonly string[];
  readonly answer: z.ZodType<Answer>;
  readonly answerType?: string;
  readonly status?: number;
  /** Error codes beyond those that every operation may answer. */
  readonly errors?: readonly ErrorCode[];
  readonly maxBodyBytes?: number;
  readonly handle: (call: Call<Params, Query, Body>) => Promise<Reply<Answer>>;
};

/** One row of the table from which both the routes and the OpenAPI document are made. */
export type Operation = Omit<Spec<unknown, unknown, unknown, unknown>, "handle"> & {
  readonly respond: (c: Context, deps: Deps) => Promise<Response>;
};

const DEFAULT_MAX_BODY_BYTES = 64 * 1024;

const readJson = async (request: Request): Promise<unknown> => {
  const mediaType = (request.headers.get("Content-Type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") throw new AppError("unsupported_media_type", "send application/json");
  const bytes = await request.arrayBuffer();
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new AppError("bad_request", "the body is not JSON in UTF-8");
  }
};

const checkPrecondition = (needsIfMatch: boolean | undefined, ifMatch: string | undefined): void => {
  if (needsIfMatch && ifMatch === undefined) throw new AppError("precondition_required", "send If-Match with the ETag that was read, or *");
};

const readVersion = (ifMatch: string | undefined): number | null => {
  if (ifMatch === undefined || ifMatch === "*") return null;
  const version = /^"(\d{1,15})"$/.exec(ifMatch.trim())?.[1];
  if (version === undefined) throw new AppError("precondition_failed", "If-Match is not an ETag of this resource");
  return Number(version);
};

const readIdempotencyKey = (need: "accepted" | "required", key: string | undefined): string | null => {
  if (key === undefined && need === "required") throw new AppError("idempotency_key_required", "send Idempotency-Key, such as a UUID");
  if (key !== undefined && !/^[\x21-\x7e]{1,128}$/.test(key)) {
    throw new AppError("bad_request", "an Idempotency-Key has 1 to 128 visible ASCII characters");
  }
  return key ?? null;
};

const toResponse = (reply: Reply<unknown>): Response => {
  if (reply instanceof Response) return reply;
  const etag = reply.version === undefined ? {} : { ETag: `"${reply.version}"` };
  return Response.json(reply.body, { status: reply.status ?? 200, headers: { "Cache-Control": "no-store", ...etag } });
};

/** Checks a row's types and closes over them. */
export const defineOperation = <Params, Query, Body, Answer>(spec: Spec<Params, Query, Body, Answer>): Operation => {
  const { handle, ...rest } = spec;
  const action = `${spec.method.toUpperCase()} ${spec.path}`;
  return {
    ...(rest as Omit<Operation, "respond">),
    respond: async (c, base) => {
      const caller = await authenticate(base, spec, c.req.header("Authorization"));
      const params = parseInput(spec.params ?? (z.unknown() as unknown as z.ZodType<Params>), c.req.param());
      const query = parseInput(spec.query ?? (z.unknown() as unknown as z.ZodType<Query>), c.req.query());
      checkPrecondition(spec.needsIfMatch, c.req.header("If-Match"));
      const expectedVersion = readVersion(c.req.header("If-Match"));
      const body = spec.body === undefined ? (undefined as Body) : parseInput(spec.body, await readJson(c.req.raw));
      const origin = { actor: actorOf(caller), requestId: requestIdOf(c), action };
      const target = await targetOf(base, params);
      const deps = isAudited(spec) ? { ...base, ledger: attribute(base.ledger, origin, target) } : base;
      const call = { caller, params, query, body, request: c.req.raw, expectedVersion };
      const run = async (own: Deps): Promise<Response> => toResponse(await handle({ ...call, deps: own }));
      if (spec.idempotency === undefined) return run(deps);
      const key = readIdempotencyKey(spec.idempotency, c.req.header("Idempotency-Key"));
      return key === null ? run(deps) : answerOnce(deps, { ...origin, target, key, body, status: spec.status ?? 200 }, run);
    },
  };
};

const tooLarge = (): never => {
  throw new AppError("payload_too_large", "the body is larger than this operation takes");
};

const methodNotAllowed =
  (methods: readonly string[]): Handler =>
  () => {
    const allowed = methods.join(", ");
    throw new AppError("method_not_allowed", `the resource has ${allowed}`, { headers: { Allow: allowed } });
  };

/** Mounts the table; a known path with another method answers 405 (RFC 9110 §15.5.6). */
export const mountOperations = (app: Hono, operations: readonly Operation[], depsOf: () => Deps): void => {
  for (const operation of operations) {
    const limit = bodyLimit({ maxSize: operation.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES, onError: tooLarge });
    const before = operation.streams ? [] : [limit];
    app.on(operation.method.toUpperCase(), [operation.path], ...before, (c: Context) => operation.respond(c, depsOf()));
  }
  for (const [path, group] of Map.groupBy(operations, (operation) => operation.path)) {
    app.all(path, methodNotAllowed(group.map(({ method }) => method.toUpperCase())));
  }
};
