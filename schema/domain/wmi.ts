/** Regulatory markets with a VIN policy of their own. */
export const MARKETS = ["cn", "na", "eu", "other"] as const;
export type Market = (typeof MARKETS)[number];

export const WMI_REGIONS = ["africa", "asia", "europe", "north-america", "oceania", "south-america"] as const;
export type WmiRegion = (typeof WMI_REGIONS)[number];

const REGIONS: readonly (readonly [RegExp, WmiRegion])[] = [
  [/^[A-H]/, "africa"],
  [/^[J-R]/, "asia"],
  [/^[S-Z]/, "europe"],
  [/^[1-5]/, "north-america"],
  [/^[67]/, "oceania"],
  [/^[89]/, "south-america"],
];

/** The region that ISO 3780:2009 Annex A assigns to a world manufacturer identifier; null for 0 and what is no WMI. */
export const regionOfWmi = (wmi: string): WmiRegion | null => REGIONS.find(([pattern]) => pattern.test(wmi))?.[1] ?? null;

/** The market whose VIN policy holds for a manufacturer code when the registry names none. China: L (GB 16735). */
export const marketOfWmi = (wmi: string): Market => {
  if (wmi.startsWith("L")) return "cn";
  const region = regionOfWmi(wmi);
  return region === "north-america" ? "na" : region === "europe" ? "eu" : "other";
};

/** Whether a VIN's manufacturer code falls under one of these prefixes (1 to 3 characters each; "" means every maker). */
export const isWmiCovered = (vin: string, prefixes: readonly string[]): boolean => prefixes.some((prefix) => vin.startsWith(prefix));
