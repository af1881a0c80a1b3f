import { Duplex } from "node:stream";
import { describe, expect, test } from "vitest";
import { createAcknowledger } from "../../../cell-node/gateway/acknowledger.ts";

/** A connection whose peer reads when told to. */
const connection = (highWaterMark = 1024) => {
  const writes: string[] = [];
  let read = () => {};
  const conn = new Duplex({
    writableHighWaterMark: highWaterMark,
    read() {},
    write(chunk: Buffer, _, callback) {
      writes.push(chunk.toString());
      read = callback;
    },
  });
  return { conn, writes, read: () => read() };
};

const tick = () => new Promise((resolve) => setImmediate(resolve));

describe("acknowledgements of one connection", () => {
  test("are said in the order of the messages, whatever the order in which they are ready [MQTT-4.6.0-2]", async () => {
    const { conn, writes, read } = connection();
    const keepPlace = createAcknowledger(conn);
    const [first, second, third, fourth] = [keepPlace(), keepPlace(), keepPlace(), keepPlace()];
    const done: number[] = [];
    third(Buffer.from("3"), () => done.push(3));
    second(null, () => done.push(2));
    await tick();
    expect([writes, done]).toEqual([[], []]);
    first(Buffer.from("1"), () => done.push(1));
    await tick();
    expect([writes, done]).toEqual([["13"], [1, 2, 3]]);
    read();
    fourth(Buffer.from("4"), () => done.push(4));
    await tick();
    expect([writes, done]).toEqual([
      ["13", "4"],
      [1, 2, 3, 4],
    ]);
  });

  test("a peer that does not read is read no further until it does", async () => {
    const { conn, read } = connection(4);
    const keepPlace = createAcknowledger(conn);
    let isDone = false;
    keepPlace()(Buffer.from("12345"), () => {
      isDone = true;
    });
    await tick();
    expect(isDone).toBe(false);
    read();
    await tick();
    expect(isDone).toBe(true);
  });

  test("a connection that is gone swallows them", async () => {
    const { conn, writes } = connection();
    const keepPlace = createAcknowledger(conn);
    conn.destroy();
    await new Promise<void>((resolve) => keepPlace()(Buffer.from("1"), resolve));
    expect(writes).toEqual([]);
  });
});
