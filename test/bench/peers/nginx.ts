import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { type Server, startServer } from "../server-process.ts";

const MODULES = ["ndk_http_module.so", "ngx_http_lua_module.so"].map((name) => join("/usr/lib/nginx/modules", name));
const REDIS_CLIENT = "/usr/share/lua/5.1/nginx/redis.lua";

/** Whether nginx has what the peer needs beside its binary. */
export const hasLuaAndRedis = (): boolean => [...MODULES, REDIS_CLIENT].every((path) => existsSync(path));

const configOf = (port: number, redisPort: number): string => `
${MODULES.map((path) => `load_module ${path};`).join("\n")}
daemon off;
master_process off;
pid nginx.pid;
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000000;
  lua_package_path "/usr/share/lua/5.1/?.lua;;";
  server {
    listen 127.0.0.1:${port};
    location / {
      content_by_lua_block {
        local client = require("nginx.redis"):new()
        assert(client:connect("127.0.0.1", ${redisPort}))
        local location = client:get(ngx.var.http_x_vin)
        client:set_keepalive(60000, 64)
        return ngx.redirect(location, 307)
      }
    }
  }
}
`;

/** nginx that looks the VIN up in Redis, in Lua, and answers a 307. */
export const startNginx = async (binary: string, folder: string, redis: Server): Promise<Server> => {
  const port = await freePort();
  const config = join(folder, "nginx.conf");
  writeFileSync(config, configOf(port, redis.port));
  return startServer("nginx", port, [binary, "-p", folder, "-c", config]);
};
