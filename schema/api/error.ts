import * as z from "zod";

type ErrorEntry = { readonly status: number; readonly title: string; readonly isRetryable: boolean };

/** Every error code that an API answers, with its HTTP status (RFC 9110), title and whether the same call may succeed later. */
export const ERRORS = {
  bad_request: { status: 400, title: "The request is malformed", isRetryable: false },
  validation_failed: { status: 422, title: "The request does not fit its schema", isRetryable: false },
  idempotency_key_required: { status: 400, title: "Idempotency-Key is required", isRetryable: false },
  unauthenticated: { status: 401, title: "A valid credential is required", isRetryable: false },
  clock_skew: { status: 401, title: "The caller's clock is off", isRetryable: true },
  forbidden: { status: 403, title: "The credential does not allow this", isRetryable: false },
  not_enrolled: { status: 403, title: "The vehicle is not enrolled", isRetryable: false },
  not_found: { status: 404, title: "There is no such resource", isRetryable: false },
  method_not_allowed: { status: 405, title: "The resource has no such method", isRetryable: false },
  conflict: { status: 409, title: "The resource is in another state", isRetryable: false },
  join_token_used: { status: 409, title: "The join token was used with another key", isRetryable: false },
  idempotency_in_flight: { status: 409, title: "The same request is being handled", isRetryable: true },
  resnapshot: { status: 410, title: "The cursor is of another timeline: start again without one", isRetryable: true },
  precondition_failed: { status: 412, title: "The resource has changed", isRetryable: false },
  payload_too_large: { status: 413, title: "The body is too large", isRetryable: false },
  unsupported_media_type: { status: 415, title: "The media type is not supported", isRetryable: false },
  wrong_cell: { status: 421, title: "Another cell serves this vehicle", isRetryable: false },
  endpoint_not_allowed: { status: 422, title: "An endpoint is outside the allowed suffixes", isRetryable: false },
  zone_mismatch: { status: 422, title: "The cell is outside the vehicle's zone", isRetryable: false },
  idempotency_key_reused: { status: 422, title: "The Idempotency-Key was used with another body", isRetryable: false },
  precondition_required: { status: 428, title: "If-Match is required", isRetryable: false },
  rate_limited: { status: 429, title: "Too many requests", isRetryable: true },
  internal: { status: 500, title: "The server failed", isRetryable: true },
  busy: { status: 503, title: "The service cannot take this right now", isRetryable: true },
  no_capacity: { status: 503, title: "No cell has room for the vehicle", isRetryable: true },
  no_cell_in_zone: { status: 503, title: "No cell is in the vehicle's zone", isRetryable: true },
  placement_unavailable: { status: 503, title: "A cell cannot be chosen right now", isRetryable: true },
  edge_cold: { status: 503, title: "This edge location has no routing data yet", isRetryable: true },
  database_unavailable: { status: 503, title: "The database cannot be reached", isRetryable: true },
  not_the_writer: { status: 503, title: "Another control-worker holds the writer's lease", isRetryable: true },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;
const ERROR_CODES = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];

/** One invalid field: a JSON Pointer (RFC 6901) into the body and what is wrong with it. */
export const FieldError = z.object({ pointer: z.string(), detail: z.string() });
export type FieldError = z.infer<typeof FieldError>;

/** Problem details (RFC 9457) with the members that every Cloverleaf error has. */
export const Problem = z.object({
  type: z.string(),
  code: z.enum(ERROR_CODES),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  requestId: z.string(),
  retryable: z.boolean(),
  errors: z.array(FieldError).optional(),
  /** Milliseconds since the epoch: with `clock_skew` the caller mends its clock with it. */
  now: z.int().optional(),
});
export type Problem = z.infer<typeof Problem>;

export type AppErrorOptions = {
  readonly cause?: unknown;
  readonly errors?: readonly FieldError[];
  readonly retryAfterSeconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly now?: number;
};

/** The only error that reaches a caller as it is; `detail` is for the caller, `cause` for the log. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly options: AppErrorOptions;

  constructor(code: ErrorCode, detail: string, options: AppErrorOptions = {}) {
    super(detail, { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.options = options;
  }
}

const DEFAULT_RETRY_AFTER_SECONDS = 2;

/** The answer to an error: problem+json, never cached, with Retry-After when it may be retried. */
export const problemResponse = (error: AppError, requestId: string): Response => {
  const { status, title, isRetryable } = ERRORS[error.code];
  const { errors, retryAfterSeconds, headers, now } = error.options;
  const problem: Problem = {
    type: `https://cloverleaf.dev/problems/${error.code.replaceAll("_", "-")}`,
    code: error.code,
    title,
    status,
    detail: error.message,
    requestId,
    retryable: isRetryable,
    ...(errors && { errors: [...errors] }),
    ...(now !== undefined && { now }),
  };
  return Response.json(problem, {
    status,
    headers: {
      "Content-Type": "application/problem+json",
      "Cache-Control": "no-store",
      ...(status === 401 && { "WWW-Authenticate": "Bearer" }),
      ...(isRetryable && { "Retry-After": String(retryAfterSeconds ?? DEFAULT_RETRY_AFTER_SECONDS) }),
      ...headers,
    },
  });
};

const escapeToken = (token: PropertyKey): string => String(token).replaceAll("~", "~0").replaceAll("/", "~1");

/** The JSON Pointer of a path; the whole document is "". */
const pointerOf = (path: readonly PropertyKey[]): string => path.map((token) => `/${escapeToken(token)}`).join("");

/** Parses outside input with a schema; throws `validation_failed` with one field error per issue. */
export const parseInput = <T>(schema: z.ZodType<T>, input: unknown): T => {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((issue) => ({ pointer: pointerOf(issue.path), detail: issue.message }));
  throw new AppError("validation_failed", errors.map(({ pointer, detail }) => `${pointer} ${detail}`.trimStart()).join("; "), { errors });
};
