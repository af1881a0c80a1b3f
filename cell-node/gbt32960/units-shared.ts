import { type Codec, code, flags, list, measure, raw, record } from "./codec.ts";

/** Scales that both editions share. */
export const tenths = (bytes: 2 | 4, offset = 0) => measure(bytes, { per: 10, offset });
export const volts = measure(2, { per: 1000 });
export const celsius = measure(1, { offset: 40 });
export const percent = measure(1);
export const count = measure(1);

export const vehicleState = code({ 1: "started", 2: "off", 3: "other" });
export const chargeState = code({ 1: "parked_charging", 2: "driving_charging", 3: "not_charging", 4: "charged" });
export const runMode = code({ 1: "electric", 2: "hybrid", 3: "fuel" });
export const converterState = code({ 1: "working", 2: "disconnected" });
export const motorState = code({ 1: "consuming", 2: "generating", 3: "off", 4: "ready" });
export const engineState = code({ 1: "started", 2: "off" });

const GEARS = ["neutral", ..."123456789".split(""), "10", "11", "12", "reverse", "drive", "park"];

export type Gear = { readonly gear: string; readonly hasDriveForce: boolean; readonly hasBrakeForce: boolean; readonly isValid: boolean };

/** Table A.1. Bit 7 came with the 2025 edition; in 2016 it is reserved and 0, which reads the same. */
export const gear: Codec<Gear> = {
  read(reader) {
    const value = reader.uint(1);
    return {
      gear: GEARS[value & 0x0f] ?? "neutral",
      hasDriveForce: (value & 0x20) !== 0,
      hasBrakeForce: (value & 0x10) !== 0,
      isValid: (value & 0x80) === 0,
    };
  },
  write: (writer, { gear: name, hasDriveForce, hasBrakeForce, isValid }) =>
    writer.uint(GEARS.indexOf(name) + (hasDriveForce ? 0x20 : 0) + (hasBrakeForce ? 0x10 : 0) + (isValid ? 0 : 0x80), 1),
};

/** `isFixed` false: the last known place. Degrees, north and east positive; not checked to be on the earth. */
export type Place = { readonly isFixed: boolean; readonly longitude: number; readonly latitude: number };

const MICRO = 1_000_000;

const degrees = (value: number, isNegative: boolean): number => (isNegative && value > 0 ? -value : value) / MICRO;

/** Status bits of tables 15 (2016) and 22 (2025), with what stands between them and the two coordinates. */
const placeWith = <T>(between: Codec<T>): Codec<{ readonly place: Place; readonly between: T }> => ({
  read(reader) {
    const status = reader.uint(1);
    const inBetween = between.read(reader);
    const longitude = degrees(reader.uint(4), (status & 0x04) !== 0);
    const latitude = degrees(reader.uint(4), (status & 0x02) !== 0);
    return { place: { isFixed: (status & 0x01) === 0, longitude, latitude }, between: inBetween };
  },
  write(writer, { place, between: inBetween }) {
    const { isFixed, longitude, latitude } = place;
    writer.uint((isFixed ? 0 : 0x01) + (latitude < 0 ? 0x02 : 0) + (longitude < 0 ? 0x04 : 0), 1);
    between.write(writer, inBetween);
    for (const value of [longitude, latitude]) writer.uint(Math.round(Math.abs(value) * MICRO), 4);
  },
});

const nothing: Codec<null> = { read: () => null, write: () => undefined };
const bare = placeWith(nothing);

export const place2016: Codec<Place> = {
  read: (reader) => bare.read(reader).place,
  write: (writer, place) => bare.write(writer, { place, between: null }),
};

const systems = code({ 1: "wgs84", 2: "gcj02", 3: "other" });
const withSystem = placeWith(systems);
type System = ReturnType<typeof systems.read>;

export const place2025: Codec<Place & { readonly system: System }> = {
  read(reader) {
    const { place, between } = withSystem.read(reader);
    return { ...place, system: between };
  },
  write: (writer, { system, ...place }) => withSystem.write(writer, { place, between: system }),
};

/** Table 18 (2016), bits 0 to 18; table 24 (2025), bits 0 to 27. */
const COMMON_ALARMS = [
  ...["temperature_difference", "battery_overheat", "storage_overvoltage", "storage_undervoltage", "soc_low"],
  ...["cell_overvoltage", "cell_undervoltage", "soc_high", "soc_jump", "storage_mismatch", "cell_inconsistency", "insulation"],
  ...["converter_temperature", "brakes", "converter_state", "motor_controller_temperature", "high_voltage_interlock"],
  ...["motor_temperature", "storage_overcharge"],
];
const ALARMS_OF_2025 = [
  ...["motor_overspeed", "motor_overcurrent", "capacitor_overheat", "capacitor_overvoltage", "thermal_event"],
  ...["hydrogen_leak", "hydrogen_pressure", "hydrogen_temperature", "fuel_cell_stack_overheat"],
];

const faults = list(1, raw(4));
const alarmFields = (names: readonly string[]) => ({
  level: measure(1),
  alarms: flags(names),
  storageFaults: faults,
  motorFaults: faults,
  engineFaults: faults,
  otherFaults: faults,
});

export const alarms2016 = record(alarmFields(COMMON_ALARMS));
export const alarms2025 = record({
  ...alarmFields([...COMMON_ALARMS, ...ALARMS_OF_2025]),
  /** `alarm` is the number of a bit. */
  levels: list(1, record({ alarm: raw(1), level: raw(1) })),
});
