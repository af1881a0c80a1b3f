import { createClient } from "@redis/client";
import { fastify } from "fastify";
import { importJWK, jwtVerify, SignJWT } from "jose";
import type { ColdWork } from "./fastify.ts";

const TICKET_SECONDS = 600;

const work = JSON.parse(process.env["WORK"] ?? "") as ColdWork;
const deviceKey = await importJWK(JSON.parse(work.deviceJwk), "EdDSA");
const popKey = await importJWK(JSON.parse(work.popJwk), "EdDSA");
const kid = String(JSON.parse(work.popJwk).kid);
const redis = await createClient({ url: `redis://127.0.0.1:${process.env["REDIS_PORT"]}` }).connect();
const app = fastify();

app.get("/v1/route", async (request, reply) => {
  const token = (request.headers.authorization ?? "").slice("Bearer ".length);
  const { payload } = await jwtVerify(token, deviceKey, {
    ...{ algorithms: ["EdDSA"], issuer: [...work.issuers], audience: "cloverleaf", requiredClaims: ["exp", "iat"], typ: "JWT" },
  });
  const vin = payload.sub ?? "";
  const known = await redis.get(vin);
  if (known === null) return reply.code(404).send();
  const { cell, standby, epoch, vinKey, endpoints, commandKeys, allowedHosts } = JSON.parse(known);
  const iat = Math.floor(Date.now() / 1000);
  const exp = iat + TICKET_SECONDS;
  const claims = {
    iss: work.popId,
    sub: vin,
    aud: [cell, standby.cell],
    cell,
    epoch,
    reason: "assigned",
    topologyVersion: 1,
    vinKey,
    iat,
    exp,
  };
  const ticket = await new SignJWT(claims).setProtectedHeader({ alg: "EdDSA", kid, typ: "cloverleaf-ticket+jwt" }).sign(popKey);
  const expiresAt = new Date(exp * 1000).toISOString();
  return {
    cell,
    epoch,
    endpoints,
    standby,
    ticket,
    expiresAt,
    ttlSeconds: 300,
    topologyVersion: 1,
    reason: "assigned",
    allowedHosts,
    commandKeys,
  };
});

await app.listen({ host: "127.0.0.1", port: Number(process.env["PORT"]) });
