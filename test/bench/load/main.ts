import { text } from "node:stream/consumers";
import { runConnect } from "./connect.ts";
import { Job, type Outcome } from "./job.ts";
import { runPublish } from "./publish.ts";

const run = (job: Job): Promise<Outcome> => (job.kind === "publish" ? runPublish(job) : runConnect(job));

console.log(JSON.stringify(await run(Job.parse(JSON.parse(await text(process.stdin))))));
process.exit(0);
