import type { Handler } from "hono";
import * as z from "zod";
import { Problem } from "#schema/api/error.ts";
import {
  EPOCH_HEADER,
  ExplainAnswer,
  MIN_EPOCH_HEADER,
  RouteAnswer,
  TICKET_HEADER,
  ValidateAnswer,
  ValidateRequest,
} from "#schema/api/route.ts";

const header = (name: string, description: string) => ({ name, in: "header", required: false, description, schema: { type: "string" } });
const json = (name: string) => ({ "application/json": { schema: { $ref: `#/components/schemas/${name}` } } });
const problem = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
});

const REFUSALS = {
  400: problem("The request is malformed"),
  401: problem("The credential does not verify"),
  429: problem("A limit is used up; Retry-After and RateLimit-Policy say when and which"),
  503: problem("No cell can be told right now; Retry-After says when to ask again"),
};

const redirect = (names: readonly string[]) => ({
  307: {
    description: "The cell to go to; method and body are kept",
    headers: Object.fromEntries(["Location", ...names].map((name) => [name, { schema: { type: "string" } }])),
  },
});

const DEVICE = [{ device: [] }, { certificate: [] }];
const minEpoch = header(MIN_EPOCH_HEADER, "Answer with a copy no older than this epoch, or ask control");

const PATHS = {
  "/v1/route": {
    get: {
      summary: "The cell of the vehicle that asks",
      security: DEVICE,
      parameters: [minEpoch],
      responses: { 200: { description: "Where to connect", content: json("RouteAnswer") }, ...REFUSALS },
    },
  },
  "/v1/connect": {
    get: {
      summary: "A redirect to the cell of the vehicle that asks",
      security: DEVICE,
      parameters: [minEpoch],
      responses: { ...redirect([TICKET_HEADER, EPOCH_HEADER]), ...REFUSALS },
    },
  },
  "/v1/route/validate": {
    post: {
      summary: "Whether what the vehicle has cached still holds",
      security: DEVICE,
      requestBody: { required: true, content: json("ValidateRequest") },
      responses: { 200: { description: "The state and the steps that mend it", content: json("ValidateAnswer") }, ...REFUSALS },
    },
  },
  "/v1/vehicles/{vin}/{path}": Object.fromEntries(
    ["get", "post", "put", "patch", "delete"].map((method) => [
      method,
      {
        summary: "The same path at the vehicle's cell",
        security: [{ owner: [] }, ...DEVICE],
        parameters: ["vin", "path"].map((name) => ({ name, in: "path", required: true, schema: { type: "string" } })),
        responses: { ...redirect([EPOCH_HEADER]), 404: problem("The caller has no such vehicle"), ...REFUSALS },
      },
    ]),
  ),
  "/v1/explain": {
    get: {
      summary: "Why a vehicle is sent where it is",
      security: [{ operator: [] }],
      parameters: [{ name: "vin", in: "query", required: true, schema: { type: "string" } }],
      responses: { 200: { description: "Every part of the decision", content: json("ExplainAnswer") }, ...REFUSALS },
    },
  },
};

const bearer = (description: string) => ({ type: "http", scheme: "bearer", bearerFormat: "JWT", description });

const SECURITY_SCHEMES = {
  device: bearer("A vehicle's JWT, audience cloverleaf"),
  owner: bearer("An owner's access token with its vehicles"),
  operator: bearer("An operator's access token with its roles"),
  certificate: { type: "mutualTLS", description: "A client certificate verified by the platform" },
};

/** The description of this API (OpenAPI 3.1), from the schemas that its contracts are written in. */
const describe = () => {
  const schemas = { RouteAnswer, ValidateRequest, ValidateAnswer, ExplainAnswer, Problem };
  const components = Object.entries(schemas).map(([name, schema]) => [name, z.toJSONSchema(schema, { io: "input" })]);
  return {
    openapi: "3.1.0",
    info: { title: "Cloverleaf router", version: "1", license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    paths: PATHS,
    components: { schemas: Object.fromEntries(components), securitySchemes: SECURITY_SCHEMES },
  };
};

/** `GET /openapi.json`: written when it is first asked for. */
export const openApiHandler = (): Handler => {
  let text: string | undefined;
  return () => {
    text ??= JSON.stringify(describe());
    return new Response(text, { headers: { "Content-Type": "application/json", "Cache-Control": "public, max-age=3600" } });
  };
};
