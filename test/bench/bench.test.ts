import mqttPacket, { type Packet } from "mqtt-packet";
import { describe, expect, test } from "vitest";
import { readAnswer } from "./load/http.ts";
import { quantileOf } from "./load/pace.ts";
import { connectPacket, createPublisher, DISCONNECT } from "./load/packets.ts";
import { parseBenchOptions, SECTIONS } from "./options.ts";
import { type Contender, type Measured, medianOf, pairedRatio, runRounds } from "./rounds.ts";
import { reaches, rowOf } from "./section.ts";
import { renderSection, renderTable } from "./table.ts";
import { parseWrk } from "./wrk.ts";

const parse = (bytes: Buffer): Packet[] => {
  const packets: Packet[] = [];
  const parser = mqttPacket.parser({ protocolVersion: 4 }).on("packet", (packet) => packets.push(packet));
  expect(parser.parse(bytes)).toBe(0);
  return packets;
};

describe("hand-made packets", () => {
  test("CONNECT carries client id, user name and password", () => {
    const login = { clientId: "WVWZZZ1JZXW000001", password: "x".repeat(600) };
    expect(parse(connectPacket(login))).toMatchObject([
      { cmd: "connect", protocolVersion: 4, clean: true, clientId: login.clientId, username: login.clientId },
    ]);
    const [packet] = parse(connectPacket(login));
    expect(packet?.cmd === "connect" && packet.password?.toString()).toBe(login.password);
  });

  test("without a password there is no user name either", () => {
    const [packet] = parse(connectPacket({ clientId: "c", password: null }));
    expect(packet).not.toHaveProperty("username");
    expect(parse(DISCONNECT)).toMatchObject([{ cmd: "disconnect" }]);
  });

  test("publishes are valid, each with its own packet id and payload id", () => {
    const publisher = createPublisher("v1/X/telemetry", "run-X-");
    const packets = [...parse(publisher.next(3)), ...parse(publisher.next(2))];
    const read = packets.map((packet) => {
      if (packet.cmd !== "publish") throw new Error(packet.cmd);
      return { topic: packet.topic, qos: packet.qos, packetId: packet.messageId, id: JSON.parse(packet.payload.toString()).id };
    });
    expect(read[0]).toEqual({ topic: "v1/X/telemetry", qos: 1, packetId: 2, id: "run-X-0000000001" });
    expect(read.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5].map((n) => `run-X-000000000${n}`));
    expect(new Set(read.map(({ packetId }) => packetId)).size).toBe(5);
  });

  test("packet ids stay inside 1 to 65535 when they wrap", () => {
    const ids = parse(createPublisher("t", "p-").next(70_000)).map((packet) => (packet.cmd === "publish" ? packet.messageId : undefined));
    expect(Math.min(...ids.map(Number))).toBe(1);
    expect(Math.max(...ids.map(Number))).toBe(65_535);
  });
});

const measured = (name: string, ...rates: number[]): Measured => ({
  ...{ name, median: medianOf(rates) },
  samples: rates.map((perSecond) => ({ perSecond, perCpuSecond: perSecond / 2, busyShare: 0.25 })),
});

describe("rounds", () => {
  test("contenders are measured in turn", async () => {
    const order: string[] = [];
    const contender = (name: string): Contender => ({
      ...{ name, pid: process.pid },
      measure: async () => {
        order.push(name);
        return { count: 100, seconds: 2 };
      },
    });
    const [a] = await runRounds([contender("a"), contender("b")], 3, () => undefined);
    expect(order).toEqual(["a", "b", "a", "b", "a", "b"]);
    expect(a).toMatchObject({ name: "a", median: 50, samples: [{ perSecond: 50 }, { perSecond: 50 }, { perSecond: 50 }] });
  });

  test("the ratio is taken round by round, so that a slow round slows both", () => {
    expect(pairedRatio(measured("a", 80, 8, 40), measured("b", 100, 10, 50))).toBeCloseTo(0.8);
    expect(medianOf([1, 9, 2, 4])).toBe(3);
  });
});

describe("the report", () => {
  const fast = measured("ours", 90, 90);
  const peer = measured("peer", 100, 100);

  test("an aim is a ratio or a rate", () => {
    expect(reaches(rowOf("x", fast, peer, { kind: "ratio", atLeast: 0.9 }))).toBe(true);
    expect(reaches(rowOf("x", fast, peer, { kind: "ratio", atLeast: 0.91 }))).toBe(false);
    expect(reaches(rowOf("x", fast, peer, { kind: "rate", atLeast: 91 }))).toBe(false);
    expect(reaches(rowOf("x", fast, peer))).toBeNull();
  });

  test("a section shows its figures; a skipped one its reason", () => {
    const rows = [rowOf("GET /v1/route", fast, peer, { kind: "ratio", atLeast: 0.95 })];
    const text = renderSection({ kind: "measured", title: "Edge", rows, notes: ["a note"] });
    expect(text).toContain("| GET /v1/route | 90            | peer | 100     | 0.90  | 0.90      | 0.25      | ratio >= 0.95 | no      |");
    expect(text).toContain("- a note");
    expect(renderSection({ kind: "skipped", title: "Edge", reason: "wrk is not installed" })).toContain("Skipped: wrk is not installed");
  });

  test("columns are as wide as their widest cell", () => {
    expect(renderTable(["a", "b"], [["long", "x"]])).toBe("| a    | b |\n| ---- | - |\n| long | x |");
  });
});

describe("the generator's HTTP", () => {
  test("an answer is whole when its announced length, or its last chunk, is there", () => {
    const read = (text: string) => readAnswer(Buffer.from(text));
    expect(read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")).toBe(200);
    expect(read("HTTP/1.1 307 Temporary Redirect\r\ncontent-length: 0\r\nlocation: x\r\n\r\n")).toBe(307);
    expect(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")).toBe(200);
    for (const part of ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", "HTTP/1.1 200 OK\r\n\r\n2\r\nok\r\n"])
      expect(read(part)).toBeNull();
  });

  test("p99 is the value that one in a hundred exceeds", () => {
    expect(
      quantileOf(
        Float64Array.from({ length: 1000 }, (_, index) => 999 - index),
        0.99,
      ),
    ).toBe(990);
  });
});

describe("wrk's report", () => {
  test("is read, failures included", () => {
    expect(parseWrk("  12000 requests in 2.50s, 1.00MB read\nRequests/sec:   4800.00")).toEqual({
      count: 12_000,
      seconds: 2.5,
      failures: [],
    });
    expect(parseWrk("  12 requests in 500.00ms, 1.00MB read\n  Non-2xx or 3xx responses: 3").failures).toHaveLength(1);
    expect(() => parseWrk("unable to connect")).toThrow("no requests");
  });
});

describe("the command line", () => {
  test("all sections by default, one on demand, and nothing that makes no sense", () => {
    const onMeasured = () => undefined;
    expect(parseBenchOptions([], onMeasured)).toMatchObject({ sections: [...SECTIONS], seconds: 3, rounds: 5 });
    expect(parseBenchOptions(["--only", "cell", "--rounds", "2"], onMeasured)).toMatchObject({ sections: ["cell"], rounds: 2 });
    for (const argv of [["--only", "x"], ["--rounds", "0"], ["--fast"]]) expect(() => parseBenchOptions(argv, onMeasured)).toThrow();
  });
});
