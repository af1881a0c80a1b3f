import { parseTopology, parseTopologyCanary } from "#schema/api/topology.ts";
import type { Topology } from "#schema/domain/topology.ts";

/** A published document as it was read: what it says, and the very text. */
export type ReadTopology = { readonly topology: Topology; readonly pops: readonly string[] | null; readonly text: string };

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // what is no JSON fits no schema
  }
};

const rememberLast = <T>(read: (text: string) => T): ((text: string) => T) => {
  let last: { readonly text: string; readonly value: T } | null = null;
  return (text) => {
    if (last?.text !== text) last = { text, value: read(text) };
    return last.value;
  };
};

/** Readers that parse a text once while it stays the same: the same document is the same object. Null for what is no such document. */
export const createTopologyReaders = () => ({
  published: rememberLast((text): ReadTopology | null => {
    const topology = parseTopology(parseJson(text));
    return topology === null ? null : { topology, pops: null, text };
  }),
  canary: rememberLast((text): ReadTopology | null => {
    const canary = parseTopologyCanary(parseJson(text));
    return canary === null ? null : { ...canary, text };
  }),
});
