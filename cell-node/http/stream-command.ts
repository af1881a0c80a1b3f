import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import type { Command } from "#schema/api/commands.ts";
import type { CommandRow } from "../store/store.ts";

/** So that what stands between does not take the stream for dead. */
const HEARTBEAT_MS = 15_000;

export const wantsStream = (c: Context): boolean => /\btext\/event-stream\b/i.test(c.req.header("Accept") ?? "");

/** Server-sent events: a `command` event now and at each change, until the command is final, the reader leaves or `untilMs` have passed. */
export const streamCommand = (
  c: Context,
  watch: (signal: AbortSignal) => AsyncIterable<CommandRow>,
  { toCommand, untilMs, onEnd }: { readonly toCommand: (row: CommandRow) => Command; readonly untilMs: number; readonly onEnd: () => void },
): Response =>
  streamSSE(c, async (stream) => {
    const leaving = new AbortController();
    stream.onAbort(() => leaving.abort());
    const end = setTimeout(() => leaving.abort(), untilMs);
    const beat = setInterval(() => void stream.write(": still here\n\n"), HEARTBEAT_MS);
    try {
      for await (const row of watch(leaving.signal)) {
        const command = toCommand(row);
        await stream.writeSSE({ event: "command", id: command.updatedAt, data: JSON.stringify(command) });
      }
    } finally {
      clearTimeout(end);
      clearInterval(beat);
      onEnd();
    }
  });
