import { Readable } from "node:stream";
import type { Subscription } from "aedes";

type Id = { readonly id: string };
type Numbered = { readonly messageId?: number | undefined };
type Will = Record<string, unknown>;

/**
 * What aedes must remember of sessions beyond a connection: subscriptions, identifiers of open QoS 2 messages, wills. Its offline queue
 * stays empty and nothing is retained: what waits for a vehicle is in the cell's store and goes out from there. (An entry of the queue
 * that authorizeForward drops would leave a resumed session unready for ever: aedes 2.0.0-beta.1, emptyQueue.)
 */
export const createSessionMemory = () => {
  const subscriptions = new Map<string, Map<string, Subscription>>();
  const incoming = new Map<string, Set<number>>();
  const wills = new Map<string, Will>();
  const nothing = () => Readable.from([]);

  const ownOf = <T>(map: Map<string, T>, id: string, create: () => T): T => {
    const own = map.get(id) ?? create();
    map.set(id, own);
    return own;
  };

  return {
    async setup() {},
    async destroy() {},

    async addSubscriptions({ id }: Id, added: readonly Subscription[]) {
      const own = ownOf(subscriptions, id, () => new Map<string, Subscription>());
      for (const subscription of added) own.set(subscription.topic, subscription);
    },
    async removeSubscriptions({ id }: Id, topics: readonly string[]) {
      const own = subscriptions.get(id);
      for (const topic of topics) own?.delete(topic);
      if (own?.size === 0) subscriptions.delete(id);
    },
    async cleanSubscriptions({ id }: Id) {
      subscriptions.delete(id);
      incoming.delete(id);
    },
    subscriptionsByClient: async ({ id }: Id) => [...(subscriptions.get(id)?.values() ?? [])],
    subscriptionsByTopic: async () => [],
    countOffline: async () => ({ subsCount: 0, clientsCount: subscriptions.size }),
    getClientList: nothing,

    async storeRetained() {},
    createRetainedStream: nothing,
    createRetainedStreamCombi: nothing,

    async outgoingEnqueue() {},
    async outgoingEnqueueCombi() {},
    async outgoingUpdate() {},
    async outgoingClearMessageId() {},
    outgoingStream: nothing,

    // [MQTT-4.3.3-10]: a repeated QoS 2 PUBLISH is known by its packet identifier until its PUBREL.
    async incomingStorePacket({ id }: Id, { messageId = 0 }: Numbered) {
      ownOf(incoming, id, () => new Set<number>()).add(messageId);
    },
    async incomingGetPacket({ id }: Id, { messageId = 0 }: Numbered) {
      if (!incoming.get(id)?.has(messageId)) throw new Error("no such packet");
      return { messageId };
    },
    async incomingDelPacket({ id }: Id, { messageId = 0 }: Numbered) {
      const own = incoming.get(id);
      own?.delete(messageId);
      if (own?.size === 0) incoming.delete(id);
    },

    async putWill({ id }: Id, will: Will) {
      wills.set(id, will);
    },
    getWill: async ({ id }: Id) => wills.get(id),
    async delWill({ id }: Id) {
      const will = wills.get(id);
      wills.delete(id);
      return will;
    },
    streamWill: nothing,
  };
};
