/** One element of a DER encoding (X.690 §8.1): its tag byte and its contents. */
type Element = { readonly tag: number; readonly contents: Uint8Array };

const SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;
const OCTET_STRING = 0x04;
const EXTENSIONS = 0xa3;
const URI_NAME = 0x86;
/** 2.5.29.17, subjectAltName. */
const SUBJECT_ALT_NAME = "551d11";

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The elements of a constructed value; stops at the first that does not fit into it. */
function* elementsOf(bytes: Uint8Array): Generator<Element> {
  let at = 0;
  while (at + 2 <= bytes.length) {
    const tag = bytes[at] ?? 0;
    let length = bytes[at + 1] ?? 0;
    at += 2;
    if (length >= 0x80) {
      const octets = length & 0x7f;
      if (octets === 0 || octets > 3 || at + octets > bytes.length) return;
      length = bytes.subarray(at, at + octets).reduce((sum, byte) => sum * 256 + byte, 0);
      at += octets;
    }
    if (at + length > bytes.length) return;
    yield { tag, contents: bytes.subarray(at, at + length) };
    at += length;
  }
}

const find = (bytes: Uint8Array | undefined, tag: number): Uint8Array | undefined => {
  if (bytes === undefined) return undefined;
  for (const element of elementsOf(bytes)) if (element.tag === tag) return element.contents;
  return undefined;
};

const isSubjectAltName = (extension: Element): boolean => {
  const id = find(extension.contents, OBJECT_IDENTIFIER);
  return extension.tag === SEQUENCE && id !== undefined && hexOf(id) === SUBJECT_ALT_NAME;
};

/** The URIs among the subject alternative names of a certificate in DER (RFC 5280 §4.2.1.6); none when it has none or cannot be read. */
export const uriNamesOf = (certificate: Uint8Array): string[] => {
  const toBeSigned = find(find(certificate, SEQUENCE), SEQUENCE);
  const extensions = find(find(toBeSigned, EXTENSIONS), SEQUENCE);
  const named = [...elementsOf(extensions ?? new Uint8Array())].find(isSubjectAltName);
  const names = find(find(named?.contents, OCTET_STRING), SEQUENCE);
  const uris = [...elementsOf(names ?? new Uint8Array())].filter(({ tag }) => tag === URI_NAME);
  return uris.map(({ contents }) => String.fromCharCode(...contents));
};
