import { createServer as createHttpServer, type Server as HttpServer, type IncomingHttpHeaders } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { Aedes } from "aedes";
import type { RouteAnswer } from "#schema/api/route.ts";

type Login = (password: string) => { readonly returnCode: number; readonly serverReference?: string } | null;

/** A real broker on a port of its own whose logins and connections the test decides. */
export type TestCell = {
  readonly url: string;
  readonly aedes: Aedes;
  readonly passwords: string[];
  login: Login;
  /** Cuts every connection, as a network does. */
  cut(): void;
  close(): Promise<void>;
};

const portOf = (server: { address(): AddressInfo | string | null }): number => (server.address() as AddressInfo).port;

export const startTestCell = async (): Promise<TestCell> => {
  const passwords: string[] = [];
  const sockets = new Set<Socket>();
  const aedes = await Aedes.createBroker({
    authenticate: (_client, _user, password, done) => {
      passwords.push(String(password));
      const refusal = cell.login(String(password));
      if (refusal === null) done(null, true);
      else done(Object.assign(new Error("refused"), refusal), false);
    },
  });
  const server = createTcpServer((socket) => {
    sockets.add(socket.on("error", () => undefined).on("close", () => sockets.delete(socket)));
    aedes.handle(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const cell: TestCell = {
    url: `mqtt://127.0.0.1:${portOf(server)}`,
    ...{ aedes, passwords, cut, login: () => null },
    close: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
    },
  };
  return cell;
};

/** An edge location over real HTTP: answers what the test says and keeps what it was asked. */
export type TestEdge = {
  readonly url: string;
  readonly asked: IncomingHttpHeaders[];
  answer: () => RouteAnswer | { readonly status: number; readonly retryAfter?: string };
  close(): Promise<void>;
};

export const startTestEdge = async (answer: TestEdge["answer"]): Promise<TestEdge> => {
  const asked: IncomingHttpHeaders[] = [];
  const server: HttpServer = createHttpServer((request, response) => {
    asked.push(request.headers);
    const said = edge.answer();
    if ("status" in said) response.writeHead(said.status, said.retryAfter === undefined ? {} : { "Retry-After": said.retryAfter }).end();
    else response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(said));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const edge: TestEdge = {
    url: `http://127.0.0.1:${portOf(server)}`,
    ...{ asked, answer },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return edge;
};
