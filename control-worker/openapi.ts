import * as z from "zod";
import { ERRORS, Problem } from "#schema/api/error.ts";
import { leastRoleOf } from "./auth.ts";
import type { Operation } from "./operation.ts";

const EVERYWHERE = ["bad_request", "validation_failed", "internal", "database_unavailable", "not_the_writer", "busy"] as const;

const schemaOf = (schema: z.ZodType) => z.toJSONSchema(schema, { target: "draft-2020-12", io: "input", unrepresentable: "any" });

const content = (mediaType: string, schema: unknown) => ({ content: { [mediaType]: { schema } } });

const problemsOf = (operation: Operation) => {
  const codes = [
    ...EVERYWHERE,
    ...(operation.access.includes("anyone") ? [] : (["unauthenticated"] as const)),
    ...(leastRoleOf(operation.access) === null ? [] : (["forbidden"] as const)),
    ...(operation.needsIfMatch ? (["precondition_required", "precondition_failed"] as const) : []),
    ...(operation.idempotency === "required" ? (["idempotency_key_required"] as const) : []),
    ...(operation.idempotency === undefined ? [] : (["idempotency_key_reused"] as const)),
    ...(operation.errors ?? []),
  ];
  const byStatus = Map.groupBy(new Set(codes), (code) => ERRORS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      String(status),
      { description: group.join(", "), ...content("application/problem+json", { $ref: "#/components/schemas/Problem" }) },
    ]),
  );
};

const parametersOf = (schema: z.ZodType | undefined, place: "path" | "query") => {
  const { properties = {}, required = [] } = schema === undefined ? {} : (schemaOf(schema) as z.core.JSONSchema.ObjectSchema);
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    schema: property,
  }));
};

const header = (name: string, required: boolean) => ({ name, in: "header", required, schema: { type: "string" } });

const headersOf = ({ needsIfMatch, idempotency }: Operation) => [
  ...(needsIfMatch === undefined ? [] : [header("If-Match", needsIfMatch)]),
  ...(idempotency === undefined ? [] : [header("Idempotency-Key", idempotency === "required")]),
];

/** Operators by their least role, as OpenAPI 3.1 has it for schemes of every kind. */
const securityOf = ({ access }: Operation) => {
  if (access.includes("anyone")) return [];
  const role = leastRoleOf(access);
  const joined = access.filter((caller) => caller === "cell" || caller === "pop");
  return [...(role === null ? [] : [{ operator: [role] }]), ...joined.map((caller) => ({ [caller]: [] }))];
};

const describe = (operation: Operation) => ({
  summary: operation.summary,
  parameters: [...parametersOf(operation.params, "path"), ...parametersOf(operation.query, "query"), ...headersOf(operation)],
  ...(operation.body && { requestBody: { required: true, ...content("application/json", schemaOf(operation.body)) } }),
  ...(operation.streams && {
    requestBody: { required: true, content: Object.fromEntries(operation.streams.map((type) => [type, { schema: { type: "string" } }])) },
  }),
  responses: {
    [String(operation.status ?? 200)]: {
      description: "done",
      ...content(operation.answerType ?? "application/json", schemaOf(operation.answer)),
    },
    ...problemsOf(operation),
  },
  security: securityOf(operation),
});

const bearer = (description: string, bearerFormat: string) => ({ type: "http", scheme: "bearer", bearerFormat, description });

/** The OpenAPI 3.1 document of a table of operations. */
export const describeOperations = (operations: readonly Operation[]) => {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const path = operation.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [operation.method]: describe(operation) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Cloverleaf control plane", version: "1" },
    paths,
    components: {
      schemas: { Problem: schemaOf(Problem) },
      securitySchemes: {
        operator: bearer("An API token, or an OIDC access token with a role: viewer, operator or admin", "clv_… or JWT"),
        cell: bearer("An assertion signed with the cell's key, valid for 60 s (RFC 7523)", "JWT"),
        pop: bearer("An assertion signed with the POP's key, valid for 60 s (RFC 7523)", "JWT"),
      },
    },
  };
};
