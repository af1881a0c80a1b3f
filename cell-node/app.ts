import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { PROOF_PATH } from "#schema/api/cells.ts";
import { AppError } from "#schema/api/error.ts";
import { signProof } from "#schema/crypto/assertion.ts";
import type { SigningKey } from "#schema/crypto/keys.ts";
import type { Logger } from "#schema/http/log.ts";
import { problemNotFound, problemOnError, requestId } from "#schema/http/problems.ts";
import { type CommandRoutesContext, commandRoutes } from "./http/commands.ts";
import { requireOperator } from "./http/operator.ts";
import { telemetryRoutes } from "./http/telemetry.ts";
import { twinRoutes } from "./http/twin.ts";
import type { Metrics } from "./metrics.ts";
import type { Marks } from "./move/marks.ts";
import { moveRoutes } from "./move/routes.ts";
import type { CellRules } from "./rules/attach.ts";
import { ruleRoutes } from "./rules/routes.ts";
import { type StandbyRoutesContext, standbyRoutes } from "./standby/routes.ts";
import { StoreError } from "./store/engine.ts";
import type { TwinDesk } from "./twin/twin-desk.ts";

export type AppContext = CommandRoutesContext & {
  readonly key: SigningKey;
  readonly metrics: Metrics;
  readonly marks: Marks;
  readonly standby: Pick<StandbyRoutesContext, "keeper" | "host">;
  readonly rules: CellRules;
  readonly twins: TwinDesk;
  readonly logger: Logger;
  /** False while the cell starts or stops. */
  readonly isReady: () => boolean;
};

const storageRefused = (cause: StoreError): AppError => new AppError("busy", "the cell cannot store this right now", { cause });

const NONCE = /^[A-Za-z0-9_.~-]{8,256}$/;

/** The cell's HTTP side: vehicle control and telemetry for owners, probes for operators, the proof for control. */
export const createApp = (context: AppContext): Hono => {
  const { admission, key, metrics, logger, limits } = context;
  const app = new Hono();
  app.use(requestId);
  app.use(
    bodyLimit({
      maxSize: limits.httpBodyBytes,
      onError: () => {
        throw new AppError("payload_too_large", `the body may have ${limits.httpBodyBytes} bytes`);
      },
    }),
  );
  const onError = problemOnError(logger);
  app.onError((error, c) => onError(error instanceof StoreError ? storageRefused(error) : error, c));
  app.notFound(problemNotFound);

  app.get("/healthz", (c) => c.json({ status: "ok" }));
  app.get("/readyz", (c) => {
    if (!context.isReady()) throw new AppError("busy", "the vehicle table is not known to be complete");
    return c.json({ status: "ready" });
  });
  app.get("/metrics", async (c) => c.body(await metrics.registry.metrics(), 200, { "Content-Type": metrics.registry.contentType }));
  app.get(PROOF_PATH, async (c) => {
    const nonce = c.req.query("nonce") ?? "";
    if (!NONCE.test(nonce)) throw new AppError("bad_request", "nonce: 8 to 256 URL-safe characters");
    return c.json({ proof: await signProof(key, admission.self, nonce, admission.clock.nowMs()) });
  });
  app.route("/v1/vehicles", commandRoutes(context));
  app.route("/v1/vehicles", telemetryRoutes(context));
  app.route("/v1/vehicles", twinRoutes(context));
  app.route("/v1/standby", standbyRoutes({ admission, ...context.standby }));
  app.route("/v1/moves", moveRoutes(context));
  app.route("/v1/rules", ruleRoutes({ ...context.rules, authorize: requireOperator(admission) }));
  return app;
};
