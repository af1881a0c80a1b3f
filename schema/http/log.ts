export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogFields = Readonly<Record<string, unknown>>;
export type Logger = Readonly<Record<LogLevel, (message: string, fields?: LogFields) => void>>;

const describe = (value: unknown): unknown =>
  value instanceof Error
    ? { name: value.name, message: value.message, stack: value.stack, ...(value.cause !== undefined && { cause: describe(value.cause) }) }
    : value;

/** One JSON object a line. Callers log vinKeys, never VINs (invariant I10). */
export const createLogger = (program: string, level: LogLevel = "info", write: (line: string) => void = console.log): Logger => {
  const at =
    (candidate: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (LOG_LEVELS.indexOf(candidate) < LOG_LEVELS.indexOf(level)) return;
      const described = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, describe(value)]));
      write(JSON.stringify({ time: new Date().toISOString(), level: candidate, program, message, ...described }));
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
};
