/** MQTT 3.1.1 packets made by hand, so that the generator is not what is measured. */

const remainingLength = (length: number): Buffer => {
  const bytes: number[] = [];
  let left = length;
  do {
    bytes.push((left % 128) | (left >= 128 ? 0x80 : 0));
    left = Math.floor(left / 128);
  } while (left > 0);
  return Buffer.from(bytes);
};

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
};

const packet = (firstByte: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([firstByte]), remainingLength(body.length), body]);
};

const CLEAN_SESSION = 0x02;
const USER_NAME_AND_PASSWORD = 0xc0;
const KEEPALIVE_SECONDS = 120;

export type Login = { readonly clientId: string; readonly password: string | null };

/** CONNECT with a clean session; user name = client id where there is a password. */
export const connectPacket = ({ clientId, password }: Login): Buffer => {
  const flags = CLEAN_SESSION | (password === null ? 0 : USER_NAME_AND_PASSWORD);
  const header = Buffer.from([4, flags, 0, KEEPALIVE_SECONDS]);
  const credentials = password === null ? [] : [text(clientId), text(password)];
  return packet(0x10, text("MQTT"), header, text(clientId), ...credentials);
};

export const DISCONNECT = Buffer.from([0xe0, 0]);

/** Digits of a message's number: as many as the longest run needs. */
const NUMBER_DIGITS = 10;

/** QoS 1 publishes of one topic that differ in their packet id and the number in their payload's `id`. */
export const createPublisher = (topic: string, idPrefix: string) => {
  const payload = JSON.stringify({
    id: `${idPrefix}${"0".repeat(NUMBER_DIGITS)}`,
    speedKmh: 87.5,
    soc: 63,
    odometerKm: 48211,
    lat: 48.1371,
    lon: 11.5754,
  });
  const template = packet(0x32, text(topic), Buffer.from([0, 0]), Buffer.from(payload));
  const packetIdAt = template.length - payload.length - 2;
  const numberAt = template.indexOf(idPrefix, packetIdAt) + idPrefix.length;
  let sent = 0;
  return {
    /** The next `count` publishes in one buffer. */
    next(count: number): Buffer {
      const batch = Buffer.allocUnsafe(template.length * count);
      for (let i = 0; i < count; i++) {
        const at = i * template.length;
        template.copy(batch, at);
        sent++;
        batch.writeUInt16BE((sent % 0xffff) + 1, at + packetIdAt);
        let left = sent;
        for (let digit = NUMBER_DIGITS - 1; left > 0; digit--) {
          batch[at + numberAt + digit] = 48 + (left % 10);
          left = Math.floor(left / 10);
        }
      }
      return batch;
    },
    get sent() {
      return sent;
    },
  };
};
