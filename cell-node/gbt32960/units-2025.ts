import { blob, code, list, measure, raw, record } from "./codec.ts";
import {
  alarms2025,
  celsius,
  chargeState,
  converterState,
  count,
  gear,
  motorState,
  percent,
  place2025,
  runMode,
  tenths,
  vehicleState,
  volts,
} from "./units-shared.ts";

/** Table 10. */
const vehicle = record({
  state: vehicleState,
  charging: chargeState,
  mode: runMode,
  speedKmh: tenths(2),
  odometerKm: tenths(4),
  voltageV: tenths(2),
  currentA: tenths(2, 3000),
  socPercent: percent,
  converter: converterState,
  gear,
  insulationKohm: measure(2),
});

/** Tables 15 and 16. */
const motors = list(
  1,
  record({
    number: count,
    state: motorState,
    controllerCelsius: celsius,
    speedRpm: measure(2, { offset: 32_000 }),
    torqueNm: tenths(4, 20_000),
    celsius,
  }),
);

/** Table 17. */
const fuelCell = record({
  hydrogenCelsius: measure(2, { offset: 40 }),
  hottestProbe: count,
  /** Share of the volume. */
  hydrogenPercent: measure(2, { per: 10_000 }),
  densestSensor: count,
  hydrogenMpa: tenths(2),
  highestPressureSensor: count,
  converter: converterState,
  remainingHydrogenPercent: percent,
  converterCelsius: celsius,
});

/** Table 20. */
const engine = record({ crankshaftRpm: measure(2) });

/** Tables 11 and 12. */
const packVoltages = list(1, record({ pack: count, voltageV: tenths(2), currentA: tenths(2, 3000), cellsV: list(2, volts) }));

/** Tables 13 and 14. */
const packTemperatures = list(1, record({ pack: count, probesCelsius: list(2, celsius) }));

/** Tables 18 and 19. */
const fuelCellStacks = list(
  1,
  record({
    number: count,
    voltageV: tenths(2),
    currentA: tenths(2),
    hydrogenInletKpa: tenths(2, 100),
    airInletKpa: tenths(2, 100),
    airInletCelsius: celsius,
    coolantOutletsCelsius: list(2, celsius),
  }),
);

/** Table 25. */
const capacitor = record({
  system: count,
  voltageV: tenths(2),
  currentA: tenths(2, 3000),
  cellsV: list(2, volts),
  probesCelsius: list(2, celsius),
});

/** Table 26: cells and probes have two bytes and no signals. */
const capacitorExtremes = record({
  highestVoltageSystem: count,
  highestVoltageCell: raw(2),
  highestVoltageV: volts,
  lowestVoltageSystem: count,
  lowestVoltageCell: raw(2),
  lowestVoltageV: volts,
  highestTemperatureSystem: count,
  highestTemperatureProbe: raw(2),
  highestCelsius: celsius,
  lowestTemperatureSystem: count,
  lowestTemperatureProbe: raw(2),
  lowestCelsius: celsius,
});

/** Table 8: over everything from the time of collection to the byte before the mark. Kept, not verified. */
const signature = record({ algorithm: code({ 1: "sm2", 2: "rsa", 3: "ecc" }), r: blob, s: blob });

/** Information types of GB/T 32960.3-2025, table 9, by their code. */
export const UNITS_2025 = {
  1: ["vehicle", vehicle],
  2: ["motors", motors],
  3: ["fuelCell", fuelCell],
  4: ["engine", engine],
  5: ["position", place2025],
  6: ["alarms", alarms2025],
  7: ["packVoltages", packVoltages],
  8: ["packTemperatures", packTemperatures],
  48: ["fuelCellStacks", fuelCellStacks],
  49: ["capacitor", capacitor],
  50: ["capacitorExtremes", capacitorExtremes],
  255: ["signature", signature],
} as const;
