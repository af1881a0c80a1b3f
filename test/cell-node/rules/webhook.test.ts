import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RuleEvent } from "../../../cell-node/rules/ports.ts";
import { parseWebhookUrl } from "../../../cell-node/rules/webhook/allowed-url.ts";
import {
  createWebhookPoster,
  type WebhookDependencies,
  type WebhookPolicy,
  WebhookRefused,
} from "../../../cell-node/rules/webhook/post-webhook.ts";
import { isPublicAddress } from "../../../cell-node/rules/webhook/public-address.ts";
import { createAuthority } from "../support/authority.ts";

const EVENT: RuleEvent = {
  ...{ specversion: "1.0", id: "1", source: "rules/a", type: "rule.forwarded", time: new Date(0).toISOString(), subject: "k" },
  ...{ datacontenttype: "application/json", data: { soc: 7 } },
};

describe("the allow-list", () => {
  const allowed = ["hooks.example.com", "partner.example:8443", "192.0.2.7", "[2001:db8::1]"];

  test.each([
    "https://hooks.example.com/a?b=c",
    "https://eu.hooks.example.com/",
    "https://HOOKS.example.com.",
    "https://partner.example:8443/x",
    "https://192.0.2.7/",
    "https://[2001:db8::1]/",
  ])("%s is inside", (url) => expect(parseWebhookUrl(url, allowed)).not.toBeNull());

  test.each([
    "http://hooks.example.com/",
    "https://evilhooks.example.com/",
    "https://hooks.example.com.evil.example/",
    "https://hooks.example.com:8443/",
    "https://partner.example/",
    "https://user:pass@hooks.example.com/",
    "https://hooks.example.com@evil.example/",
    "https://1.192.0.2.7/",
    "https://3221225991/",
    "ftp://hooks.example.com/",
    "not a url",
  ])("%s is outside", (url) => expect(parseWebhookUrl(url, url.includes("3221225991") ? ["3221225991"] : allowed)).toBeNull());
});

describe("public addresses", () => {
  test.each(["1.1.1.1", "8.8.8.8", "223.5.5.5", "2606:4700::1111", "2400:3200::1"])("%s", (address) =>
    expect(isPublicAddress(address)).toBe(true),
  );

  test.each([
    ...["127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"],
    ...["255.255.255.255", "198.18.0.1", "192.0.0.8", "::", "::1", "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:a00:1"],
    ...["64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::1", "2001:db8::1", "::7f00:1", "localhost", "", "127.1"],
  ])("not %s", (address) => expect(isPublicAddress(address)).toBe(false));
});

describe("posting", () => {
  const authority = createAuthority("a CA");
  const identity = authority.issue({ commonName: "hooks.test", alternativeNames: [{ dns: "hooks.test" }] });
  const received: { path: string; host: string | undefined; body: string }[] = [];
  const answers: number[] = [];
  let server: Server;
  let port: number;
  let allowed: string[];

  beforeAll(async () => {
    server = createServer(identity, (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        received.push({ path: request.url ?? "", host: request.headers.host, body: Buffer.concat(chunks).toString() });
        const status = answers.shift() ?? 200;
        response.writeHead(status, status === 302 ? { Location: "https://hooks.test/elsewhere" } : {}).end("x");
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
    allowed = [`hooks.test:${port}`];
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const createPoster = (policy: Partial<WebhookPolicy> = {}, dependencies: Partial<WebhookDependencies> = {}) => {
    const resolved: string[] = [];
    const waits: number[] = [];
    const post = createWebhookPoster(
      { allowed, arePrivateAllowed: true, timeoutMs: 2_000, tries: 3, backOffMs: 100, ...policy },
      {
        resolve: async (host) => {
          resolved.push(host);
          return ["127.0.0.1"];
        },
        random: () => 0.5,
        wait: async (ms) => void waits.push(ms),
        authorities: authority.certificate,
        ...dependencies,
      },
    );
    return { post, resolved, waits, url: `https://hooks.test:${port}/in?a=1` };
  };
  const take = () => received.splice(0);

  test("goes to the address that was resolved, under the name that was asked for", async () => {
    const { post, resolved, url } = createPoster();
    await post(url, EVENT);
    expect(resolved).toEqual(["hooks.test"]);
    expect(take()).toEqual([{ path: "/in?a=1", host: `hooks.test:${port}`, body: JSON.stringify(EVENT) }]);
  });

  test.each([[["127.0.0.1"]], [["1.1.1.1", "10.0.0.1"]], [["169.254.169.254"]]])(
    "private addresses (%j) are not called",
    async (addresses) => {
      const { post, waits, url } = createPoster({ arePrivateAllowed: false }, { resolve: async () => addresses });
      await expect(post(url, EVENT)).rejects.toBeInstanceOf(WebhookRefused);
      expect([take(), waits]).toEqual([[], []]);
    },
  );

  test("a name is resolved once a try: what is called is what was checked", async () => {
    const turns = [["127.0.0.1"], ["192.0.2.1"]];
    const { post, url } = createPoster({}, { resolve: async () => turns.shift() ?? [] });
    await post(url, EVENT);
    expect(turns).toHaveLength(1);
    expect(take()).toHaveLength(1);
  });

  test("a redirect is not followed", async () => {
    answers.push(302);
    const { post, url } = createPoster();
    await expect(post(url, EVENT)).rejects.toBeInstanceOf(WebhookRefused);
    expect(take()).toHaveLength(1);
  });

  test("is tried again when the receiver is in trouble, with jitter, and no more often than told", async () => {
    answers.push(503, 429, 200);
    const patient = createPoster();
    await patient.post(patient.url, EVENT);
    expect([take().length, patient.waits]).toEqual([3, [50, 100]]);
    answers.push(500, 500, 500, 500);
    await expect(patient.post(patient.url, EVENT)).rejects.toThrow("500");
    expect(take()).toHaveLength(3);
    answers.length = 0;
  });

  test("a wrong answer is not tried again; neither is a host outside the list", async () => {
    answers.push(400);
    const { post, url } = createPoster();
    await expect(post(url, EVENT)).rejects.toThrow("400");
    await expect(post("https://other.test/", EVENT)).rejects.toBeInstanceOf(WebhookRefused);
    expect(take()).toHaveLength(1);
  });

  test("a receiver whose certificate names another host gets nothing", async () => {
    const { post } = createPoster({ tries: 1, allowed: [`other.test:${port}`] });
    await expect(post(`https://other.test:${port}/`, EVENT)).rejects.toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
    expect(take()).toEqual([]);
  });
});
