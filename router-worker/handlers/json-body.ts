import type { Context } from "hono";
import { AppError } from "#schema/api/error.ts";

/** Reads a JSON body of at most so many bytes; refuses other media types, what is longer, and what is no JSON. */
export const readJsonBody = async (c: Context, maxBytes: number): Promise<unknown> => {
  if (!/^application\/json\b/i.test(c.req.header("Content-Type") ?? ""))
    throw new AppError("unsupported_media_type", "send application/json");
  const tooLarge = () => new AppError("payload_too_large", `the body may have ${maxBytes} bytes`);
  if (Number(c.req.header("Content-Length") ?? 0) > maxBytes) throw tooLarge();
  const decoder = new TextDecoder();
  let text = "";
  let sizeBytes = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBytes) throw tooLarge();
    text += decoder.decode(chunk, { stream: true });
  }
  try {
    return JSON.parse(text + decoder.decode());
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new AppError("bad_request", "the body is not JSON");
    throw cause;
  }
};
