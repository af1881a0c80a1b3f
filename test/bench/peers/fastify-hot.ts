import { createClient } from "@redis/client";
import { fastify } from "fastify";

const redis = await createClient({ url: `redis://127.0.0.1:${process.env["REDIS_PORT"]}` }).connect();
const app = fastify();

app.get("/v1/route", async (request, reply) => {
  const location = await redis.get(String(request.headers["x-vin"]));
  return location === null ? reply.code(404).send() : reply.redirect(location, 307);
});

await app.listen({ host: "127.0.0.1", port: Number(process.env["PORT"]) });
