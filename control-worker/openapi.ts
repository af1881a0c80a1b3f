import * as z from "zod";
import { ERRORS, Problem } from "#schema/api/error.ts";
import type { Operation } from "./operation.ts";

const EVERYWHERE = ["bad_request", "validation_failed", "internal", "database_unavailable", "not_the_writer", "busy"] as const;

const schemaOf = (schema: z.ZodType) => z.toJSONSchema(schema, { target: "draft-2020-12", io: "input", unrepresentable: "any" });

const content = (mediaType: string, schema: unknown) => ({ content: { [mediaType]: { schema } } });

const problemsOf = (operation: Operation) => {
  const codes = [
    ...EVERYWHERE,
    ...(operation.access.includes("anyone") ? [] : (["unauthenticated"] as const)),
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

const describe = (operation: Operation) => ({
  summary: operation.summary,
  parameters: [...parametersOf(operation.params, "path"), ...parametersOf(operation.query, "query")],
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
  security: operation.access.includes("anyone") ? [] : operation.access.map((caller) => ({ [caller]: [] })),
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
        admin: bearer("An operator's API token", "clv_…"),
        cell: bearer("An assertion signed with the cell's key, valid for 60 s (RFC 7523)", "JWT"),
        pop: bearer("An assertion signed with the POP's key, valid for 60 s (RFC 7523)", "JWT"),
      },
    },
  };
};
