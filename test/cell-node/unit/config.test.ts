import { describe, expect, test } from "vitest";
import { parseConfig } from "../../../cell-node/config.ts";

const ENVIRONMENT = {
  CELL_ID: "cell-eu-1",
  CELL_REGION: "eu-west",
  CELL_ZONE: "eu",
  CONTROL_URLS: "https://a.test/, https://b.test",
  DATA_DIR: "/data",
  TLS_CERT_FILE: "/tls/cert.pem",
  TLS_KEY_FILE: "/tls/key.pem",
  PUBLIC_MQTT_URL: "mqtts://cell.test:8883",
  PUBLIC_HTTPS_URL: "https://cell.test",
};

describe("the environment", () => {
  test("is read once, with defaults", () => {
    expect(parseConfig(ENVIRONMENT)).toMatchObject({
      cell: "cell-eu-1",
      zone: "eu",
      controlUrls: ["https://a.test", "https://b.test"],
      joinToken: null,
      http: { host: "0.0.0.0", port: 8080 },
      plain: null,
      tls: { port: 8883 },
      endpoints: { mqtt: "mqtts://cell.test:8883", mqttWs: null, https: "https://cell.test" },
      hardLimit: 20_000,
      connectRate: 2_000,
      connectBurst: 4_000,
      logLevel: "info",
    });
  });

  test("an empty variable is an unset one", () => {
    const config = parseConfig({ ...ENVIRONMENT, CELL_ZONE: "", HTTP_PORT: "", PUBLIC_MQTT_WS_URL: "", JOIN_TOKEN: "" });
    expect(config).toMatchObject({ zone: null, http: { port: 8080 }, endpoints: { mqttWs: null }, joinToken: null });
  });

  test.each([
    ["CELL_ID", "Not An Id"],
    ["CONTROL_URLS", "not a url"],
    ["HTTP_PORT", "70000"],
    ["PUBLIC_MQTT_URL", ""],
    ["TLS_KEY_FILE", ""],
    ["LOG_LEVEL", "loud"],
  ])("%s=%s is refused by name", (name, value) => {
    expect(() => parseConfig({ ...ENVIRONMENT, [name]: value })).toThrow(name);
  });

  test("without a certificate there is no cell outside a lab", () => {
    const { TLS_CERT_FILE: _, TLS_KEY_FILE: __, ...bare } = ENVIRONMENT;
    expect(() => parseConfig(bare)).toThrow("TLS_CERT_FILE");
    expect(parseConfig({ ...bare, MQTT_PLAIN_PORT: "1884" })).toMatchObject({ tls: null, plain: { port: 1884 } });
  });
});
