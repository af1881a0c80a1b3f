import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { unstable_readConfig as readConfig } from "wrangler";

const CONFIG = resolve(import.meta.dirname, "../../wrangler.toml");

describe.each(["router", "control"])("wrangler.toml, environment %s", (env) => {
  const config = readConfig({ config: CONFIG, env }, { hideWarnings: true });

  test("is public under no second name, which would skip the mTLS host", () => {
    expect(config.workers_dev).toBe(false);
    expect(config.preview_urls ?? false).toBe(false);
  });

  test("I10: keeps the platform's invocation logs, which carry URLs with VINs, switched off", () => {
    expect(config.observability?.logs?.invocation_logs).toBe(false);
  });

  test("names its own worker and entry", () => {
    expect(config.name).toBe(`cloverleaf-${env}`);
    expect(config.main).toMatch(new RegExp(`${env}-worker/index\\.ts$`));
  });
});

test("the top level deploys nothing under a name of its own", () => {
  const config = readConfig({ config: CONFIG }, { hideWarnings: true });
  expect([config.name, config.workers_dev]).toEqual([undefined, false]);
});
