import type { FeedPage } from "#schema/api/feed.ts";
import type { Replica } from "./replica.ts";

export type FeedReply =
  | { readonly kind: "page"; readonly page: FeedPage }
  | { readonly kind: "unchanged" }
  | { readonly kind: "resnapshot" }
  | { readonly kind: "away"; readonly detail: string };

export type AskFeed = (held: { readonly cursor: string | null; readonly topologyVersion: number }) => Promise<FeedReply>;

export type FeedStep = "more" | "idle" | "restarted" | "away";

/** One exchange with the feed: ask from the held cursor, take what comes. A gap or another timeline starts a snapshot, over what is held. */
export const followFeed = async (ask: AskFeed, replica: Replica): Promise<FeedStep> => {
  const reply = await ask({ cursor: replica.cursor(), topologyVersion: replica.topologyVersion() });
  switch (reply.kind) {
    case "away":
      return "away";
    case "unchanged":
      replica.confirm();
      return "idle";
    case "resnapshot":
      replica.restart();
      return "restarted";
    case "page":
      if (replica.apply(reply.page) === "applied") return reply.page.hasMore ? "more" : "idle";
      replica.restart();
      return "restarted";
  }
};
