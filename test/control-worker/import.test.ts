import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Line, MAX_LINE_BYTES, readLines } from "../../control-worker/services/read-lines.ts";
import { type Control, call, createControl } from "./support/control.ts";
import { addCell, createMember, vinOf } from "./support/fleet.ts";

let control: Control;

beforeEach(async () => {
  control = await createControl();
  await addCell(control, await createMember("cell-eu"), { zone: "eu", hardLimit: 3 });
  await addCell(control, await createMember("cell-any"), { hardLimit: 10_000 });
});

afterEach(() => control.close());

type Report = { kind: string; line?: number; code?: string; [name: string]: unknown };

const importAs = async (type: string, body: string | Uint8Array) => {
  const answer = await call(control.app, "POST", "/v1/vehicles/import", { body, headers: { "Content-Type": type } });
  const reports = answer.text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Report);
  return {
    ...answer,
    reports,
    errors: reports.filter(({ kind }) => kind === "error").map(({ line, code }) => [line, code]),
    done: reports.at(-1),
  };
};
const importNdjson = (...lines: unknown[]) =>
  importAs("application/x-ndjson", lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
const importCsv = (...lines: string[]) => importAs("text/csv; charset=utf-8", lines.join("\r\n"));

const CHINESE = "LSVAA4182E2123456";

describe("import", () => {
  test("NDJSON: vehicles are registered and placed, and sent again nothing changes", async () => {
    const lines = [
      { vin: vinOf(1), zone: "eu", model: "e-Golf" },
      { vin: vinOf(2), fleet: "f" },
    ];
    const first = await importNdjson(...lines);
    expect(first.headers.get("Content-Type")).toBe("application/x-ndjson");
    expect(first.done).toEqual({ kind: "done", lines: 2, imported: 2, unchanged: 0, failed: 0, placed: 2, unplaced: 0 });
    expect((await importNdjson(...lines)).done).toMatchObject({ imported: 0, unchanged: 2, placed: 0 });
    expect((await importNdjson({ vin: vinOf(1), zone: "eu", model: "ID.3" })).done).toMatchObject({ imported: 1, unchanged: 0, placed: 0 });
    const vehicle = await call(control.app, "GET", `/v1/vehicles/${vinOf(1)}`);
    expect(vehicle.json).toMatchObject({ model: "ID.3", version: 2, cell: "cell-eu", epoch: 1, market: "eu" });
    expect(await control.database.sql("select distinct lane from outbox where kind = 'route'")).toEqual([{ lane: "bulk" }]);
  });

  test("CSV: a header row, quoted fields, empty fields and CRLF are read", async () => {
    const { done, errors } = await importCsv("vin,zone,model", `${vinOf(1)},eu,"Golf, GTE"`, `${vinOf(2)},,"say ""hi"""`, "");
    expect([errors, done?.["imported"]]).toEqual([[], 2]);
    expect((await call(control.app, "GET", `/v1/vehicles/${vinOf(1)}`)).json).toMatchObject({ zone: "eu", model: "Golf, GTE" });
    expect((await call(control.app, "GET", `/v1/vehicles/${vinOf(2)}`)).json).toMatchObject({ zone: null, model: 'say "hi"' });
  });

  test("every broken line is named with its number and spoils only itself", async () => {
    const { errors, done } = await importNdjson(
      { vin: vinOf(1) },
      "{not json",
      "",
      { vin: vinOf(2), colour: "red" },
      { vin: "WVWZZZ1JZXW00000I" },
      { vin: "WVWZZZ1JZXW00000" },
      { vin: `${vinOf(3)}1` },
      { vin: "WVWZZZ1JZXW00000１" },
      { vin: "LSVAA4187E2123456", market: "cn" },
      { vin: vinOf(4), zone: "EU" },
      { vin: vinOf(5), model: "" },
      { vin: 17 },
      [],
      { vin: "1".repeat(17) },
      { vin: vinOf(6) },
    );
    expect(errors).toEqual([
      [2, "json"],
      [4, "validation_failed"],
      [5, "vin_characters"],
      [6, "vin_length"],
      [7, "vin_length"],
      [8, "vin_characters"],
      [9, "vin_check_digit"],
      [10, "validation_failed"],
      [11, "validation_failed"],
      [12, "validation_failed"],
      [13, "validation_failed"],
      [14, "vin_uniform"],
    ]);
    expect(done).toMatchObject({ lines: 14, imported: 2, failed: 12 });
    expect(await control.database.sql("select vin from vehicles order by vin")).toEqual([{ vin: vinOf(1) }, { vin: vinOf(6) }]);
  });

  test("bytes that are not UTF-8 and lines that are too long spoil only their line", async () => {
    const encoder = new TextEncoder();
    const bad = new Uint8Array([...encoder.encode(`{"vin":"${vinOf(1)}","model":"`), 0xff, ...encoder.encode('"}\n')]);
    const long = encoder.encode(`{"vin":"${vinOf(2)}","model":"${"x".repeat(3 * MAX_LINE_BYTES)}"}\n`);
    const good = encoder.encode(`{"vin":"${vinOf(3)}"}`);
    const { errors, done } = await importAs("application/x-ndjson", new Uint8Array([...bad, ...long, ...good]));
    expect([errors, done?.["imported"]]).toEqual([
      [
        [1, "encoding"],
        [2, "line_too_long"],
      ],
      1,
    ]);
  });

  test.each([
    ["an unknown column", "vin,colour"],
    ["a repeated column", "vin,zone,zone"],
    ["no column vin", "zone,model"],
    ["an empty header", ""],
  ])("CSV: a header with %s is refused as a whole", async (_, header) => {
    const body = `${header}\n${vinOf(1)},eu,x`;
    const answer = await call(control.app, "POST", "/v1/vehicles/import", { body, headers: { "Content-Type": "text/csv" } });
    expect([answer.status, answer.json["code"]]).toEqual([422, "validation_failed"]);
    expect(await control.database.sql("select count(*) as n from vehicles")).toEqual([{ n: 0 }]);
  });

  test("CSV: lines with too many or too few fields or a stray quote spoil only themselves", async () => {
    const { errors, done } = await importCsv(
      "vin,zone",
      `${vinOf(1)},eu,x`,
      vinOf(2),
      `"${vinOf(3)},eu`,
      `${vinOf(4)},eu`,
      `${vinOf(5)},"eu"x`,
    );
    expect(errors).toEqual([
      [2, "columns"],
      [3, "columns"],
      [4, "csv"],
      [6, "csv"],
    ]);
    expect(done).toMatchObject({ lines: 5, imported: 1, failed: 4 });
  });

  test("another media type is refused", async () => {
    const answer = await call(control.app, "POST", "/v1/vehicles/import", { body: "[]", headers: { "Content-Type": "application/json" } });
    expect([answer.status, answer.json["code"]]).toEqual([415, "unsupported_media_type"]);
  });

  test("I12: vehicles without room in their zone are registered and stay unplaced; a zone away from their cell is refused", async () => {
    const { done } = await importNdjson(...[1, 2, 3, 4, 5].map((n) => ({ vin: vinOf(n), zone: "eu" })));
    expect(done).toMatchObject({ imported: 5, placed: 3, unplaced: 2 });
    const { errors } = await importNdjson({ vin: vinOf(1), zone: "cn" });
    expect(errors).toEqual([[1, "zone_mismatch"]]);
    expect((await call(control.app, "GET", `/v1/vehicles/${vinOf(1)}`)).json).toMatchObject({ zone: "eu", cell: "cell-eu" });
  });

  test("a Chinese VIN is held to its check digit, a European one is not", async () => {
    expect((await importNdjson({ vin: CHINESE }, { vin: vinOf(1) })).done).toMatchObject({ imported: 1, failed: 1 });
  });

  test("a VIN twice in one import is registered once, as its last line says", async () => {
    expect((await importNdjson({ vin: vinOf(1), model: "a" }, { vin: vinOf(1), model: "b" })).errors).toEqual([]);
    expect((await call(control.app, "GET", `/v1/vehicles/${vinOf(1)}`)).json).toMatchObject({ model: "b", epoch: 1 });
  });

  test("thousands of lines arrive in chunks, with progress between them", async () => {
    const { reports, done } = await importNdjson(...Array.from({ length: 2_500 }, (_, index) => ({ vin: vinOf(index) })));
    expect(reports.filter(({ kind }) => kind === "progress").map(({ lines }) => lines)).toEqual([1_000, 2_000, 2_500]);
    expect(done).toMatchObject({ imported: 2_500, placed: 2_500 });
    expect(await control.database.sql("select sum(assigned) as assigned from cells")).toEqual([{ assigned: 2_500 }]);
  });

  test("when the ledger refuses for good, the import stops, says from which line on to send again, and keeps what it has", async () => {
    const standby = await createControl({ database: control.database, holder: "instance-b" });
    await control.core.write([]);
    const body = JSON.stringify({ vin: vinOf(1) });
    const answer = await call(standby.app, "POST", "/v1/vehicles/import", { body, headers: { "Content-Type": "application/x-ndjson" } });
    expect(answer.text.split("\n")[0]).toContain('"code":"not_the_writer"');
    expect(JSON.parse(answer.text.trim().split("\n").at(-1) ?? "")).toMatchObject({ kind: "done", imported: 0, failed: 1 });
    standby.close();
  });
});

describe("an import in parts", () => {
  const lines = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => JSON.stringify({ vin: vinOf(from + index) })).join("\n");
  const send = async (part: number, body: string | ReadableStream, headers: Record<string, string> = {}) => {
    const path = `/v1/vehicles/import?import=fleet-1&part=${part}`;
    const answer = await call(control.app, "POST", path, { body, headers: { "Content-Type": "application/x-ndjson", ...headers } });
    return { ...answer, done: JSON.parse(answer.text.trim().split("\n").at(-1) ?? "{}") as Record<string, unknown> };
  };
  const stateOf = async () => ((await call(control.app, "GET", "/v1/vehicles/import/fleet-1")).json["parts"] as unknown[]) ?? [];

  test("a part that broke off goes on behind what is stored; a whole one is not read again", async () => {
    const body = lines(0, 2_500);
    let isSent = false;
    const broken = new ReadableStream({
      pull(stream) {
        if (isSent) stream.error(new Error("the line went dead"));
        else stream.enqueue(new TextEncoder().encode(body.slice(0, body.length / 2)));
        isSent = true;
      },
    });
    await send(1, broken).catch(() => {});
    expect(await stateOf()).toMatchObject([{ part: 1, lines: 1_000, isDone: false }]);
    const again = await send(1, body);
    expect(again.done).toMatchObject({ kind: "done", lines: 2_500, imported: 1_500, unchanged: 0 });
    expect((await send(2, lines(3_000, 3_010))).done).toMatchObject({ lines: 10, imported: 10 });
    expect(await stateOf()).toMatchObject([
      { part: 1, lines: 2_500, isDone: true },
      { part: 2, lines: 10, isDone: true },
    ]);
    expect((await send(1, body)).done).toMatchObject({ kind: "done", lines: 2_500, imported: 0, unchanged: 0 });
    expect(await control.database.sql("select count(*) as n from vehicles")).toEqual([{ n: 2_510 }]);
  });

  test("an unknown import answers 404, a part over 50 MB 413, an id that cannot be one 422", async () => {
    expect((await call(control.app, "GET", "/v1/vehicles/import/nothing")).status).toBe(404);
    expect((await send(1, "{}", { "Content-Length": String(51 * 1024 * 1024) })).status).toBe(413);
    expect(
      (await call(control.app, "POST", "/v1/vehicles/import?import=a%20b", { body: "", headers: { "Content-Type": "text/csv" } })).status,
    ).toBe(422);
  });
});

describe("readLines", () => {
  const collect = async (chunks: Uint8Array[]): Promise<Line[]> => {
    const all: Line[] = [];
    async function* source() {
      yield* chunks;
    }
    for await (const lines of readLines(source())) all.push(...lines);
    return all;
  };

  test("however the bytes are cut into chunks, the lines are the same", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: "binary", maxLength: 20 })), fc.array(fc.nat(60)), async (texts, cuts) => {
        const lines = texts.map((text) => text.replaceAll(/[\r\n\ufeff]/g, "").toWellFormed());
        const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
        const bounds = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const chunks = bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end));
        const read = await collect(chunks);
        expect(read).toEqual(lines.map((text, index) => ({ kind: "line", line: index + 1, text })));
      }),
    );
  });

  test("a line without end is never held whole", async () => {
    const chunk = new Uint8Array(65_536).fill(120);
    const read = await collect(Array.from({ length: 64 }, () => chunk));
    expect(read).toMatchObject([{ kind: "fault", line: 1, code: "line_too_long" }]);
  });
});
