type Env = { readonly TOPOLOGY: string; readonly RECORD: string };

/** What KV would answer: every vehicle has the same record. Miniflare's own KV writes and reads files, which no edge location does. */
export default {
  fetch(request: Request, { TOPOLOGY, RECORD }: Env): Response {
    const { pathname } = new URL(request.url);
    if (pathname === "/topology") return new Response(TOPOLOGY);
    return pathname.startsWith("/r/") ? new Response(RECORD) : new Response(null, { status: 404 });
  },
};
