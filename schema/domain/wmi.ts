/** Regulatory markets with a VIN policy of their own. */
export const MARKETS = ["cn", "na", "eu", "other"] as const;
export type Market = (typeof MARKETS)[number];

export const WMI_REGIONS = ["africa", "asia", "europe", "north-america", "oceania", "south-america"] as const;
export type WmiRegion = (typeof WMI_REGIONS)[number];

const REGIONS: readonly (readonly [RegExp, WmiRegion])[] = [
  [/^[A-G]/, "africa"],
  [/^[HJ-R]/, "asia"],
  [/^[S-Z]/, "europe"],
  [/^(?:[1-5]|7[F-Z0-9])/, "north-america"],
  [/^[67]/, "oceania"],
  [/^[89]/, "south-america"],
];

/**
 * The region of a world manufacturer identifier: ISO 3780:2009 Annex A with the assignments that SAE has made since, H to China and
 * 7F to 70 to the United States. Null for 0 and what is no WMI.
 */
export const regionOfWmi = (wmi: string): WmiRegion | null => REGIONS.find(([pattern]) => pattern.test(wmi))?.[1] ?? null;

/** The market whose VIN policy always holds for a manufacturer code. China: L and H (GB 16737). */
export const marketOfWmi = (wmi: string): Market => {
  if (/^[LH]/.test(wmi)) return "cn";
  const region = regionOfWmi(wmi);
  return region === "north-america" ? "na" : region === "europe" ? "eu" : "other";
};

/** Whether a VIN's manufacturer code falls under one of these prefixes (1 to 3 characters each; "" means every maker). */
export const isWmiCovered = (vin: string, prefixes: readonly string[]): boolean => prefixes.some((prefix) => vin.startsWith(prefix));
