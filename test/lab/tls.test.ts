import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, statSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer, type TLSSocket } from "node:tls";
import { describe, expect, test } from "vitest";
import { ensureTls } from "./tls/ensure-tls.ts";

const newFolder = () => mkdtempSync(join(tmpdir(), "cloverleaf-tls-"));

const handshake = (port: number, ca: string, servername: string): Promise<{ isAuthorized: boolean; error: string }> =>
  new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ port, host: "127.0.0.1", ca, servername, rejectUnauthorized: false }, () => {
      resolve({ isAuthorized: socket.authorized, error: String(socket.authorizationError) });
      socket.destroy();
    });
    socket.once("error", reject);
  });

describe("the lab's certificates", () => {
  test("a client that trusts the lab's authority accepts the server at localhost, and nowhere else", async () => {
    const files = ensureTls(newFolder(), Date.now());
    const server = createServer({ cert: readFileSync(files.certificate), key: readFileSync(files.key) });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const ca = readFileSync(files.ca, "utf8");
    expect(await handshake(port, ca, "localhost")).toMatchObject({ isAuthorized: true });
    expect(await handshake(port, ca, "elsewhere.example")).toMatchObject({ isAuthorized: false, error: /ALTNAME/ });
    const stranger = readFileSync(ensureTls(newFolder(), Date.now()).ca, "utf8");
    expect(await handshake(port, stranger, "localhost")).toMatchObject({ isAuthorized: false });
    server.close();
  });

  test("the authority may sign certificates, the server may not, and its names are those of the loopback", () => {
    const files = ensureTls(newFolder(), Date.now());
    const [ca, server] = [files.ca, files.certificate].map((path) => new X509Certificate(readFileSync(path)));
    expect([ca?.ca, server?.ca]).toEqual([true, false]);
    expect(ca && server?.verify(ca.publicKey)).toBe(true);
    expect(server?.subjectAltName).toBe("DNS:localhost, IP Address:127.0.0.1");
  });

  test("a second start uses the same files, and only their owner reads the key", () => {
    const folder = newFolder();
    const files = ensureTls(folder, Date.now());
    const before = readFileSync(files.certificate, "utf8");
    expect(readFileSync(ensureTls(folder, Date.now()).certificate, "utf8")).toBe(before);
    expect(statSync(files.key).mode & 0o077).toBe(0);
  });
});
