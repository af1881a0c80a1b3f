import { text } from "node:stream/consumers";
import { runConnect } from "./connect.ts";
import { runDrain } from "./drain.ts";
import { Job, type Outcome } from "./job.ts";
import { runPace } from "./pace.ts";
import { runPublish } from "./publish.ts";

const run = (job: Job): Promise<Outcome> => {
  switch (job.kind) {
    case "publish":
      return runPublish(job);
    case "connect":
      return runConnect(job);
    case "drain":
      return runDrain(job);
    case "pace":
      return runPace(job);
  }
};

console.log(JSON.stringify(await run(Job.parse(JSON.parse(await text(process.stdin))))));
process.exit(0);
