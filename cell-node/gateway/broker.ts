import type { Socket } from "node:net";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import type { ProtocolLevel } from "./connect-packet.ts";

/** An admitted vehicle on one connection: who it is comes from its credential, never from a packet. */
export type Session = { readonly vin: Vin; readonly vinKey: VinKey; readonly vehicle: number; readonly level: ProtocolLevel };

/** What a vehicle published; topic aliases are resolved, wills look like any other message. */
export type Publication = { readonly topic: string; readonly payload: Buffer; readonly qos: 0 | 1 | 2 };

/** `stored`: acknowledge. `forbidden`: 0x87, or the end of an MQTT 3 connection. `invalid`: refuse this message only (MQTT 5). `withheld`: no answer, the connection ends. */
export type PublishVerdict =
  | { readonly kind: "stored" }
  | { readonly kind: "forbidden"; readonly reason: string }
  | { readonly kind: "invalid"; readonly reasonCode: number; readonly reason: string }
  | { readonly kind: "withheld" };

export type BrokerHooks = {
  /** The acknowledgement waits for it; when it rejects, nothing was stored and the connection is cut. */
  readonly onPublish: (session: Session, publication: Publication) => Promise<PublishVerdict>;
  readonly maySubscribe: (session: Session, filter: string) => boolean;
  /** Subscriptions hold from now on, granted or restored with a session. */
  readonly onSubscribed: (session: Session, topics: readonly string[]) => void;
};

export type Delivery = {
  readonly topic: string;
  readonly payload: string;
  readonly contentType: string;
  readonly responseTopic?: string;
  readonly correlationData?: string;
  readonly expiresInSeconds?: number;
};

export type Remembered = { readonly topic: string; readonly qos: 0 | 1 | 2 };

/** Why a session ends by the cell's will: told with DISCONNECT to MQTT 5, with `notice` on the session topic to MQTT 3. */
export type Farewell = {
  readonly reasonCode: number;
  readonly reason: string;
  readonly reference: string | null;
  readonly notice: { readonly topic: string; readonly payload: string } | null;
};

/** The MQTT broker behind the gateway. It sees vinKeys only and decides nothing about identity. */
export type Broker = {
  /** Takes over a paused socket; `head` is the CONNECT in the vehicle's vinKey and whatever followed it. */
  handle(socket: Socket, head: Buffer, session: Session): void;
  /** The vehicle's session, if it is connected. */
  sessionOf(vinKey: VinKey): Session | undefined;
  sessions(): readonly Session[];
  /** Sends with QoS 1; false when the session is over or has no such subscription. */
  deliver(session: Session, delivery: Delivery): Promise<boolean>;
  dismiss(vinKey: VinKey, farewell: Farewell): void;
  /** What a session that outlives its connection is subscribed to. */
  remembered(vinKey: VinKey): Promise<readonly Remembered[]>;
  /** Puts a session in place for a vehicle that comes from elsewhere; with nothing, forgets it. */
  remember(vinKey: VinKey, subscriptions: readonly Remembered[]): Promise<void>;
  readonly connected: number;
  /** Says goodbye to all and closes. */
  close(): Promise<void>;
};
