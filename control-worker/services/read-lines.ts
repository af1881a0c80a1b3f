const NEWLINE = 10;
/** A longer line is reported and skipped; nothing longer is ever held. */
export const MAX_LINE_BYTES = 8_192;

export type LineFault = { readonly kind: "fault"; readonly line: number; readonly code: string; readonly detail: string };
export type Line = { readonly kind: "line"; readonly line: number; readonly text: string } | LineFault;

const decoder = new TextDecoder("utf-8", { fatal: true });

const decodeLine = (line: number, bytes: Uint8Array): Line => {
  if (bytes.length > MAX_LINE_BYTES)
    return { kind: "fault", line, code: "line_too_long", detail: `a line has at most ${MAX_LINE_BYTES} bytes` };
  try {
    return { kind: "line", line, text: decoder.decode(bytes).replace(/\r$/, "") };
  } catch {
    return { kind: "fault", line, code: "encoding", detail: "the line is not UTF-8" };
  }
};

const join = (head: Uint8Array, tail: Uint8Array): Uint8Array => {
  // One byte over the limit is enough to know that the line is too long.
  const whole = new Uint8Array(Math.min(head.length + tail.length, MAX_LINE_BYTES + 1));
  whole.set(head.subarray(0, whole.length));
  whole.set(tail.subarray(0, whole.length - head.length), head.length);
  return whole;
};

/** Cuts a byte stream into lines, in bounded memory; yields the lines of each chunk together. Lines count from 1. */
export async function* readLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Line[]> {
  let rest: Uint8Array = new Uint8Array(0);
  let line = 0;
  for await (const chunk of stream) {
    const lines: Line[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      lines.push(decodeLine(++line, join(rest, chunk.subarray(from, end))));
      rest = rest.subarray(0, 0);
      from = end + 1;
    }
    rest = join(rest, chunk.subarray(from));
    if (lines.length > 0) yield lines;
  }
  if (rest.length > 0) yield [decodeLine(line + 1, rest)];
}
