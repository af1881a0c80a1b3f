/** The URL of the same path and query at a cell. Only a path below `/v1/` of this router is carried over; host and scheme are the cell's own. */
export const locationAt = (https: string, path: string, search = ""): string => {
  const location = new URL(https);
  location.pathname = `${location.pathname.replace(/\/$/, "")}${path}`;
  location.search = search;
  location.hash = "";
  return location.href;
};

/** 307 keeps method and body and is not cached by itself (RFC 9110 §15.4.8). */
export const redirectTo = (location: string, headers: Readonly<Record<string, string>>): Response =>
  new Response(null, { status: 307, headers: { Location: location, "Cache-Control": "no-store", ...headers } });
