import { list, measure, raw, record } from "./codec.ts";
import {
  alarms2016,
  celsius,
  chargeState,
  converterState,
  count,
  engineState,
  gear,
  motorState,
  percent,
  place2016,
  runMode,
  tenths,
  vehicleState,
  volts,
} from "./units-shared.ts";

/** Table B.4. */
const vehicle = record({
  state: vehicleState,
  charging: chargeState,
  mode: runMode,
  speedKmh: tenths(2),
  odometerKm: tenths(4),
  voltageV: tenths(2),
  currentA: tenths(2, 1000),
  socPercent: percent,
  converter: converterState,
  gear,
  insulationKohm: measure(2),
  acceleratorPercent: percent,
  /** 101: the brake is pressed, no one knows how far. */
  brakePercent: percent,
});

/** Tables 10 and 11. */
const motors = list(
  1,
  record({
    number: count,
    state: motorState,
    controllerCelsius: celsius,
    speedRpm: measure(2, { offset: 20_000 }),
    torqueNm: tenths(2, 2000),
    celsius,
    controllerVoltageV: tenths(2),
    controllerCurrentA: tenths(2, 1000),
  }),
);

/** Table 12. */
const fuelCell = record({
  voltageV: tenths(2),
  currentA: tenths(2),
  consumptionKgPer100Km: measure(2, { per: 100 }),
  probesCelsius: list(2, celsius),
  hydrogenCelsius: tenths(2, 40),
  hottestProbe: count,
  hydrogenMgPerKg: measure(2),
  densestSensor: count,
  hydrogenMpa: tenths(2),
  highestPressureSensor: count,
  converter: converterState,
});

/** Table 13. */
const engine = record({ state: engineState, crankshaftRpm: measure(2), consumptionLPer100Km: measure(2, { per: 100 }) });

/** Table 16. */
const extremes = record({
  highestVoltageSubsystem: count,
  highestVoltageCell: count,
  highestVoltageV: volts,
  lowestVoltageSubsystem: count,
  lowestVoltageCell: count,
  lowestVoltageV: volts,
  highestTemperatureSubsystem: count,
  highestTemperatureProbe: count,
  highestCelsius: celsius,
  lowestTemperatureSubsystem: count,
  lowestTemperatureProbe: count,
  lowestCelsius: celsius,
});

/** Tables B.5 and B.6. */
const storageVoltages = list(
  1,
  record({
    subsystem: raw(1),
    voltageV: tenths(2),
    currentA: tenths(2, 1000),
    cellCount: measure(2),
    firstCell: raw(2),
    cellsV: list(1, volts),
  }),
);

/** Tables B.7 and B.8. */
const storageTemperatures = list(1, record({ subsystem: raw(1), probesCelsius: list(2, celsius) }));

/** Information types of GB/T 32960.3-2016, table B.3, by their code. */
export const UNITS_2016 = {
  1: ["vehicle", vehicle],
  2: ["motors", motors],
  3: ["fuelCell", fuelCell],
  4: ["engine", engine],
  5: ["position", place2016],
  6: ["extremes", extremes],
  7: ["alarms", alarms2016],
  8: ["storageVoltages", storageVoltages],
  9: ["storageTemperatures", storageTemperatures],
} as const;
