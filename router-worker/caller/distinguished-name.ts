/** An RFC 2253 name cut at its unescaped separators. */
const partsOf = (name: string): string[] => name.match(/(?:\\.|"(?:\\.|[^"\\])*"|[^,+;"\\])+/gs) ?? [];

/** The common names in an RFC 2253 distinguished name, as they are written. */
export const commonNamesOf = (name: string): string[] =>
  partsOf(name)
    .map((part) => /^\s*CN\s*=\s*(.*?)\s*$/is.exec(part)?.[1])
    .filter((value) => value !== undefined);
