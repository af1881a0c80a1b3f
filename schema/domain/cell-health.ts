import type { CellHealth, CellId } from "./cell.ts";

/** What another cell said of this one: its standby, or a cell that control named as witness. */
export type Testimony = { readonly witness: CellId; readonly isReachable: boolean };

/** What control knows of a cell. Any contact ends a row of misses, a call refused for its clock included: missed means no contact. */
export type HealthFacts = {
  /** What control held last. */
  readonly known: CellHealth;
  /** Whether control itself has taken syncs all the while; when it has not, nobody has missed any. */
  readonly wasListening: boolean;
  /** Syncs missed in a row, at the fixed pace of design §4.5. */
  readonly missedSyncs: number;
  /** Whether the central probe reaches the cell's endpoint; null before it has been tried. */
  readonly isProbeOk: boolean | null;
  /** Testimonies since the first miss. */
  readonly testimonies: readonly Testimony[];
};

export const SUSPECT_AFTER_MISSES = 2;
export const DOWN_AFTER_MISSES = 3;

type Row = { readonly health: CellHealth | "as_known"; readonly fits: (facts: HealthFacts) => boolean };

const isReached = ({ isProbeOk, testimonies }: HealthFacts): boolean =>
  isProbeOk === true || testimonies.some(({ isReachable }) => isReachable);

/** Design §5; the first row that fits wins. No single witness condemns a cell (I13): the probe and a witness must both fail to reach it. */
const ROWS: readonly Row[] = [
  { health: "as_known", fits: ({ wasListening }) => !wasListening },
  { health: "healthy", fits: ({ missedSyncs }) => missedSyncs < SUSPECT_AFTER_MISSES },
  { health: "suspect", fits: ({ missedSyncs }) => missedSyncs < DOWN_AFTER_MISSES },
  { health: "isolated", fits: isReached },
  { health: "down", fits: ({ isProbeOk, testimonies }) => isProbeOk === false && testimonies.length > 0 },
  { health: "suspect", fits: () => true },
];

/** The health of a cell from what was observed. `isolated`: cut off from control but reachable, so its traffic stays. */
export const judgeHealth = (facts: HealthFacts): CellHealth => {
  const health = ROWS.find(({ fits }) => fits(facts))?.health ?? "as_known";
  return health === "as_known" ? facts.known : health;
};
