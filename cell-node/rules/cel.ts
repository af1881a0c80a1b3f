import { Environment } from "@marcbachmann/cel-js";

/** What an expression sees. `data` is the message; JSON numbers are doubles, as CEL has it. */
export type Scope = {
  readonly data: unknown;
  readonly channel: string;
  readonly vin: string;
  readonly vinKey: string;
  readonly receivedAt: Date;
  readonly derived: Readonly<Record<string, unknown>>;
};

/** Looked at while parsing: an expression beyond them is refused before anything of it runs. */
const LIMITS = { maxAstNodes: 256, maxDepth: 24, maxListElements: 64, maxMapEntries: 64, maxCallArguments: 8 };

export const environment = new Environment({ homogeneousAggregateLiterals: false, limits: LIMITS })
  .registerVariable("data", "dyn")
  .registerVariable("channel", "string")
  .registerVariable("vin", "string")
  .registerVariable("vinKey", "string")
  .registerVariable("receivedAt", "google.protobuf.Timestamp")
  .registerVariable("derived", "map<string, dyn>");

/**
 * The functions that rules may call; the rest of the library's grows strings or bytes without bound, or is of no use here.
 * `literal`: its text argument is written in the rule, so that no message chooses what is searched for.
 */
export const FUNCTIONS: Readonly<Record<string, "plain" | "literal" | "loop">> = {
  ...{ size: "plain", double: "plain", int: "plain", uint: "plain", string: "plain", bool: "plain", dyn: "plain", has: "plain" },
  ...{ timestamp: "plain", duration: "plain", lowerAscii: "plain", upperAscii: "plain", trim: "plain", substring: "plain" },
  ...{ getDate: "plain", getDayOfMonth: "plain", getDayOfWeek: "plain", getDayOfYear: "plain", getFullYear: "plain" },
  ...{ getHours: "plain", getMinutes: "plain", getMonth: "plain", getSeconds: "plain", getMilliseconds: "plain" },
  ...{ startsWith: "literal", endsWith: "literal", contains: "literal", indexOf: "literal", lastIndexOf: "literal", matches: "literal" },
  ...{ all: "loop", exists: "loop", exists_one: "loop", map: "loop", filter: "loop" },
};
