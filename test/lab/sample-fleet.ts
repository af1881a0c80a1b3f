import type { ImportLine } from "#schema/api/vehicles.ts";
import { hash53 } from "#schema/domain/hash.ts";
import { checkDigitOf } from "#schema/domain/vin.ts";
import type { Market } from "#schema/domain/wmi.ts";

/** A maker's plant line: manufacturer code, positions 4-9 (`*` = check digit) and where the vehicles are used. */
type Line = {
  readonly wmi: string;
  readonly descriptor: string;
  readonly model: string;
  readonly plant: string;
  readonly regions: readonly string[];
};
type Group = { readonly market: Market; readonly zone: string | null; readonly count: number; readonly lines: readonly Line[] };

const DACH = ["de", "at", "ch"];
const WEST = ["fr", "es", "it", "nl"];
const NORTH = ["se", "dk", "no", "fi"];
const CHINA = ["cn-east", "cn-north", "cn-south"];
const AMERICA = ["us-east", "us-west", "ca", "mx"];

const line = (wmi: string, descriptor: string, model: string, plant: string, regions: readonly string[]): Line => ({
  wmi,
  descriptor,
  model,
  plant,
  regions,
});

/** European makers fill position 9 as they like (ISO 3779 asks for no check digit); those of China and North America must compute it. */
const GROUPS: readonly Group[] = [
  {
    market: "eu",
    zone: "eu",
    count: 200,
    lines: [
      line("WVW", "ZZZCDZ", "Golf", "W", DACH),
      line("WVW", "ZZZE1Z", "ID.3", "P", NORTH),
      line("WAU", "ZZZF4Z", "A4", "A", DACH),
      line("WBA", "5R1100", "3er", "F", DACH),
      line("WDD", "205004", "C-Klasse", "R", DACH),
      line("TMB", "JJ7NX0", "Octavia", "Y", WEST),
      line("VF1", "RFB006", "Megane", "5", WEST),
      line("VF3", "LBHNSM", "308", "S", WEST),
      line("ZFA", "312000", "500", "J", WEST),
      line("YV1", "ZWA8U*", "V60", "2", NORTH),
      line("SAL", "WA2BK*", "Range Rover Sport", "A", NORTH),
    ],
  },
  {
    market: "cn",
    zone: "cn",
    count: 150,
    lines: [
      line("LFV", "3A23C*", "Sagitar", "3", CHINA),
      line("LSV", "CH2BR*", "Passat", "2", CHINA),
      line("LVS", "HFFAC*", "Focus", "F", CHINA),
      line("LBV", "5S310*", "3er L", "S", CHINA),
      line("LGX", "C16DF*", "Han", "0", CHINA),
      line("LJD", "AA29B*", "K3", "0", CHINA),
      line("LRW", "3E7EK*", "Model 3", "C", CHINA),
    ],
  },
  {
    market: "na",
    zone: null,
    count: 150,
    lines: [
      line("1FA", "6P8TH*", "Mustang", "5", AMERICA),
      line("1G1", "ZD5ST*", "Malibu", "F", AMERICA),
      line("1C4", "RJFAG*", "Grand Cherokee", "C", AMERICA),
      line("2HG", "FC2F5*", "Civic", "H", AMERICA),
      line("3VW", "C57BU*", "Jetta", "M", AMERICA),
      line("4T1", "B11HK*", "Camry", "U", AMERICA),
      line("5YJ", "3E1EA*", "Model 3", "F", AMERICA),
    ],
  },
];

const YEARS = "JKLMNPRST"; // 2018 to 2026
const FLEETS = ["leasing", "rental", "private", "taxi"];

const pick = <T>(from: readonly T[], seed: string): T => from[hash53(seed) % from.length] as T;

const vinOf = ({ wmi, descriptor, plant }: Line, seed: string): string => {
  const serial = String(100_000 + (hash53(`${seed}/serial`) % 900_000));
  const vin = `${wmi}${descriptor}${pick([...YEARS], `${seed}/year`)}${plant}${serial}`;
  return vin.replace("*", checkDigitOf(vin.replace("*", "0")));
};

const vehicleOf = ({ market, zone, lines }: Group, index: number): ImportLine => {
  const made = lines[index % lines.length] as Line;
  const seed = `${market}/${index}`;
  return {
    vin: vinOf(made, seed),
    market,
    zone,
    usageRegion: pick(made.regions, `${seed}/region`),
    model: made.model,
    tier: hash53(`${seed}/tier`) % 20 === 0 ? "vip" : "standard",
    fleet: pick(FLEETS, `${seed}/fleet`),
    tenant: made.wmi.toLowerCase(),
  };
};

/** 500 vehicles of three markets and two zones, the same at every call: real manufacturer codes, invented serial numbers. */
export const sampleFleet = (): ImportLine[] =>
  GROUPS.flatMap((group) => Array.from({ length: group.count }, (_, index) => vehicleOf(group, index)));

/** Real manufacturer codes beside those of the fleet, for vehicles that nobody has imported. */
const OTHER_WMIS = [
  "SB1 SCC SHH SJN TRU VF7 VNK VSS W0L WDB WDC WDF WF0 WME WMW WP0 WP1 WUA WV1 WV2 W1K W1N XTA YS2 YS3 YV4 ZAR ZFF ZHW",
  "L6T LB1 LB3 LBE LC0 LDC LDN LFM LFP LGB LGG LGW LHG LJ1 LJX LKC LMG LNB LNY LPS LS5 LS6 LSG LSJ LTV LUC LVG LVV LW4 LWV LZE LZW",
  "1C3 1FM 1FT 1GC 1GN 1HG 1J4 1N4 1VW 2C3 2FM 2G1 2HK 2T1 3C4 3FA 3GN 3HG 3N1 4JG 4S3 4S4 4US 5FN 5J6 5NP 5TD 5UX",
].flatMap((codes) => codes.split(" "));

/** The manufacturer codes that the lab's device issuer vouches for. */
export const labWmis = (): string[] => [...new Set([...GROUPS.flatMap((group) => group.lines.map(({ wmi }) => wmi)), ...OTHER_WMIS])];

/** The fleet as `POST /v1/vehicles/import` takes it. */
export const toNdjson = (lines: readonly ImportLine[]): string => lines.map((vehicle) => `${JSON.stringify(vehicle)}\n`).join("");
