import { AppError } from "#schema/api/error.ts";

/** Reads a body's text as JSON; `bad_request` when it is not. */
export const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError("bad_request", "the body is not JSON", { cause });
  }
};
