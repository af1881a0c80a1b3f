import * as z from "zod";
import { externalService, runWorker } from "./run-worker.ts";

const port = z.int();
const Launch = z.object({
  port,
  kvPort: port,
  pop: z.string(),
  controlPorts: z.tuple([port, port]),
  variables: z.record(z.string(), z.string()),
});

const { controlPorts, variables, ...launch } = Launch.parse(JSON.parse(process.env["WORKER"] ?? ""));
await runWorker({
  ...launch,
  entry: "router-worker/index.ts",
  options: {
    bindings: variables,
    serviceBindings: { CONTROL: externalService(controlPorts[0]), CONTROL_STANDBY: externalService(controlPorts[1]) },
  },
});
