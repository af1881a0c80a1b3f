import type { Logger } from "#schema/http/log.ts";
import { findPendingTopology } from "../store/outbox.ts";
import { isTooMany, type PublishDeps } from "./port.ts";
import { type Progress, publishRoutes } from "./publish-routes.ts";
import { publishTopology } from "./publish-topology.ts";
import { type KeyerOf, keyersOf } from "./routes.ts";

const SINGLES_PER_TURN = 200;
/** A single change waits behind no more than this many bulk ones. */
const BULK_PER_TURN = 48;
const TOPOLOGY_INTERVAL_MS = 1_000;
const MAX_PAUSE_MS = 30_000;

export type PublisherOptions = Pick<PublishDeps, "config" | "clock" | "random" | "logger"> & {
  /** What one run works with. */
  readonly open: () => PublishDeps;
  readonly later: (run: () => void, milliseconds: number) => void;
};

/** Copies truth to KV: topology first, then single changes, then a slice of the bulk ones, until nothing is due. */
export class Publisher {
  readonly #open: () => PublishDeps;
  readonly #keyers: KeyerOf;
  readonly #clock: () => number;
  readonly #random: () => number;
  readonly #later: PublisherOptions["later"];
  readonly #logger: Logger;
  #isTimed = false;
  #running: Promise<void> | null = null;
  #isKicked = false;
  #isConfigNew = true;
  #topologyAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #pausedUntil = 0;

  constructor(options: PublisherOptions) {
    const { config, clock, random, logger } = options;
    this.#open = options.open;
    this.#later = options.later;
    this.#keyers = keyersOf(config.peppers);
    this.#clock = clock;
    this.#random = random;
    this.#logger = logger;
  }

  /** Publishes what is due; while a run is under way it only makes that run look once more. Never rejects. */
  run(): Promise<void> {
    if (this.#clock() < this.#pausedUntil) return Promise.resolve();
    this.#isKicked = true;
    this.#running ??= this.#loop();
    return this.#running;
  }

  async #loop(): Promise<void> {
    while (this.#isKicked) {
      this.#isKicked = false;
      await this.#drain();
    }
    this.#running = null;
  }

  async #drain(): Promise<void> {
    let deps: PublishDeps | null = null;
    try {
      deps = this.#open();
      let isDone = false;
      while (!isDone) isDone = await this.#turn(deps);
      this.#failures = 0;
    } catch (error) {
      this.#pause();
      this.#logger.warn("publishing failed", { error });
    } finally {
      deps?.close();
    }
  }

  /** One turn of every queue; whether nothing more can be done now. */
  async #turn(deps: PublishDeps): Promise<boolean> {
    const progress = [
      await this.#topology(deps),
      await publishRoutes(deps, this.#keyers, "single", SINGLES_PER_TURN),
      await publishRoutes(deps, this.#keyers, "bulk", BULK_PER_TURN),
    ];
    if (progress.includes("failed")) {
      this.#pause();
      return true;
    }
    return !progress.includes("published");
  }

  /** At most one write a second: KV takes no more of one key. */
  async #topology(deps: PublishDeps): Promise<Progress> {
    const waitMs = this.#topologyAt + TOPOLOGY_INTERVAL_MS - this.#clock();
    if (waitMs > 0) {
      if ((await findPendingTopology(deps.database)) !== null) this.#runLater(waitMs);
      return "idle";
    }
    try {
      const progress = await publishTopology(deps, this.#isConfigNew);
      if (progress !== "failed") this.#isConfigNew = false;
      if (progress === "published") this.#topologyAt = this.#clock();
      return progress;
    } catch (error) {
      if (!isTooMany(error)) throw error;
      this.#topologyAt = this.#clock();
      return "idle";
    }
  }

  #runLater(waitMs: number): void {
    if (this.#isTimed) return;
    this.#isTimed = true;
    this.#later(() => {
      this.#isTimed = false;
      void this.run();
    }, waitMs);
  }

  /** Full jitter (design I11). */
  #pause(): void {
    this.#failures += 1;
    this.#isKicked = false;
    this.#pausedUntil = this.#clock() + this.#random() * Math.min(MAX_PAUSE_MS, 500 * 2 ** this.#failures);
  }
}
