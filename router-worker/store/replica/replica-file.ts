import { createReadStream, createWriteStream } from "node:fs";
import { open, rename } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGunzip, createGzip } from "node:zlib";
import { type CellId, parseCellId } from "#schema/domain/cell.ts";
import { createReplicaTable, type ReplicaTable, SHARDS } from "./replica-table.ts";

/** A POP's last-known-good state: the records, the feed's cursor that they reach, when the feed last confirmed them, and the topology's text. */
export type ReplicaSnapshot = {
  readonly table: ReplicaTable;
  readonly cursor: string;
  readonly confirmedAtMs: number;
  readonly topology: string | null;
};

export type ReplicaFileFault = { readonly kind: "absent" | "damaged"; readonly detail: string };

// gzip (RFC 1952: its CRC-32 and length are the checksum) around one line of JSON and packed records, big-endian:
// 16 bytes key, 8 bytes epoch (float64), 2 bytes cell index.
const RECORD_BYTES = 26;
const EPOCH_AT = 16;
const CELL_AT = 24;
const LINE_FEED = 0x0a;
const CHUNK_BYTES = 1 << 20;

type Header = {
  readonly v: 1;
  readonly count: number;
  readonly cells: readonly CellId[];
  readonly cursor: string;
  readonly confirmedAtMs: number;
  readonly topology: string | null;
};

function* encode({ table, cursor, confirmedAtMs, topology }: ReplicaSnapshot): Generator<Buffer> {
  const header: Header = { v: 1, count: table.size(), cells: table.cells(), cursor, confirmedAtMs, topology };
  yield Buffer.from(`${JSON.stringify(header)}\n`);
  for (let shard = 0; shard < SHARDS; shard++) {
    const packed = Buffer.allocUnsafe(table.sizeIn(shard) * RECORD_BYTES);
    let at = 0;
    table.eachIn(shard, (key, epoch, cellIndex) => {
      for (let word = 0; word < 4; word++) packed.writeUInt32BE(key[word] ?? 0, at + word * 4);
      packed.writeDoubleBE(epoch, at + EPOCH_AT);
      packed.writeUInt16BE(cellIndex, at + CELL_AT);
      at += RECORD_BYTES;
    });
    yield packed;
  }
}

/** Writes the snapshot beside the old file, syncs it and takes its place, so that a crash leaves one of the two whole. */
export const saveReplica = async (path: string, snapshot: ReplicaSnapshot): Promise<void> => {
  const draft = `${path}.draft`;
  await pipeline(Readable.from(encode(snapshot)), createGzip({ level: constants.Z_BEST_SPEED }), createWriteStream(draft));
  const file = await open(draft, "r+");
  await file.sync();
  await file.close();
  await rename(draft, path);
};

const parseHeader = (line: string): Header | null => {
  const { v, count, cells, cursor, confirmedAtMs, topology } = JSON.parse(line) as Record<string, unknown>;
  const names = Array.isArray(cells) ? cells.map(parseCellId) : [null];
  if (v !== 1 || typeof count !== "number" || typeof cursor !== "string" || typeof confirmedAtMs !== "number") return null;
  if (!names.every((name) => name !== null)) return null;
  return { v, count, cells: names, cursor, confirmedAtMs, topology: typeof topology === "string" ? topology : null };
};

const readRecords = (table: ReplicaTable, header: Header, bytes: Buffer): Buffer => {
  const key = new Uint32Array(4);
  const whole = bytes.length - (bytes.length % RECORD_BYTES);
  for (let at = 0; at < whole; at += RECORD_BYTES) {
    for (let word = 0; word < 4; word++) key[word] = bytes.readUInt32BE(at + word * 4);
    const cell = header.cells[bytes.readUInt16BE(at + CELL_AT)];
    if (cell === undefined) throw new RangeError("a record names no known cell");
    table.putPacked(key, bytes.readDoubleBE(at + EPOCH_AT), cell);
  }
  return bytes.subarray(whole);
};

const decode = async (source: AsyncIterable<Buffer>): Promise<ReplicaSnapshot> => {
  let header: Header | null = null;
  let table = createReplicaTable();
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (header === null) {
      const end = rest.indexOf(LINE_FEED);
      if (end < 0) continue;
      header = parseHeader(rest.subarray(0, end).toString("utf8"));
      if (header === null) throw new RangeError("the header is not of version 1");
      table = createReplicaTable(header.count);
      rest = rest.subarray(end + 1);
    }
    rest = readRecords(table, header, rest);
  }
  if (header === null || rest.length > 0) throw new RangeError("the file ends in the middle of a record");
  return { table, cursor: header.cursor, confirmedAtMs: header.confirmedAtMs, topology: header.topology };
};

/** Reads a snapshot; a missing, truncated or altered file is a value that says so, never a partial table. */
export const loadReplica = async (path: string): Promise<ReplicaSnapshot | ReplicaFileFault> => {
  try {
    return await pipeline(createReadStream(path, { highWaterMark: CHUNK_BYTES }), createGunzip({ chunkSize: CHUNK_BYTES }), decode);
  } catch (error) {
    const isAbsent = error instanceof Error && "code" in error && error.code === "ENOENT";
    return { kind: isAbsent ? "absent" : "damaged", detail: String(error) };
  }
};
