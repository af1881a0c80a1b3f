/** What a cell's refusal, CONNACK or DISCONNECT, asks of the vehicle. */
export const MEANINGS = ["elsewhere", "resolve", "credential", "identity", "busy"] as const;
export type Meaning = (typeof MEANINGS)[number];

export type Protocol = 4 | 5;

/** Design §4.3. MQTT 5.0 reason codes; 3.1.1 return codes [MQTT-3.2.2.3]. */
const TABLES: Readonly<Record<Protocol, Readonly<Record<number, Meaning>>>> = {
  5: { 156: "elsewhere", 157: "elsewhere", 135: "resolve", 134: "credential", 140: "credential", 133: "identity" },
  4: { 5: "resolve", 4: "credential", 2: "identity" },
};

/** Every code that the tables do not name may be temporary: the vehicle comes back later. */
export const meaningOf = (protocol: Protocol, code: number): Meaning => TABLES[protocol][code] ?? "busy";
