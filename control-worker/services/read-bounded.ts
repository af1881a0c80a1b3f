/** Reads an answer of somebody else's as text; throws when it is longer than it can rightly be. */
export const readBounded = async (response: Response, maxBytes: number): Promise<string> => {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const part of response.body ?? []) {
    sizeBytes += part.length;
    if (sizeBytes > maxBytes) throw new RangeError("the answer is too large");
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
};
