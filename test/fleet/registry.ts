import type * as z from "zod";
import { pageOf, Vehicle } from "#schema/api/vehicles.ts";
import { checkDigitOf, isVin, parseVin, type Vin } from "#schema/domain/vin.ts";
import { marketOfWmi } from "#schema/domain/wmi.ts";

const VehiclePage = pageOf(Vehicle.pick({ vin: true }));
const PAGE = 500;
const SERIAL_DIGITS = 6;

/** Up to `count` VINs of the registry, page by page. */
export const listVins = async (control: string, adminToken: string, count: number): Promise<Vin[]> => {
  const vins: Vin[] = [];
  let cursor: string | null = null;
  do {
    const query: URLSearchParams = new URLSearchParams({ limit: String(Math.min(PAGE, count)), ...(cursor !== null && { cursor }) });
    const response = await fetch(`${control}/v1/vehicles?${query}`, { headers: { Authorization: `Bearer ${adminToken}` } });
    if (!response.ok) throw new Error(`GET ${control}/v1/vehicles answered ${response.status} ${await response.text()}`);
    const page: z.infer<typeof VehiclePage> = VehiclePage.parse(await response.json());
    vins.push(...page.items.map(({ vin }) => vin));
    cursor = page.cursor;
  } while (cursor !== null && vins.length < count);
  return vins.slice(0, count);
};

const withSerial = (model: Vin, serial: number): Vin => {
  const digits = String(serial).padStart(SERIAL_DIGITS, "0");
  const vin = model.slice(0, -SERIAL_DIGITS) + digits;
  const isChecked = ["cn", "na"].includes(marketOfWmi(vin.slice(0, 3)));
  const parsed = parseVin(isChecked ? `${vin.slice(0, 8)}${checkDigitOf(vin)}${vin.slice(9)}` : vin);
  if (!isVin(parsed)) throw new Error(`${vin} is no VIN: ${parsed.detail}`);
  return parsed;
};

/** Valid VINs that the registry does not hold yet: the known vehicles' models with serial numbers counted down from 999999. */
export const furtherVins = (known: readonly Vin[], count: number): Vin[] => {
  const taken = new Set<string>(known);
  const further: Vin[] = [];
  for (let serial = 10 ** SERIAL_DIGITS - 1; further.length < count && serial > 0; serial--) {
    const model = known[serial % known.length];
    if (model === undefined) throw new Error("the registry holds no vehicle: import the sample fleet first");
    const vin = withSerial(model, serial);
    if (!taken.has(vin)) further.push(vin);
    taken.add(vin);
  }
  return further;
};

/** `count` vehicles: the registry's first, then further ones that get enrolled and placed at the edge. */
export const chooseVins = async (control: string, adminToken: string, count: number): Promise<Vin[]> => {
  const known = await listVins(control, adminToken, count);
  return known.length >= count ? known : [...known, ...furtherVins(known, count - known.length)];
};
