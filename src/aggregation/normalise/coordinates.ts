/** Places on the globe, by the package `geo-coordinates-parser`, which whoever imports this installs. */
import { convert } from "geo-coordinates-parser";
import { type Normaliser, toNormaliser } from "./normaliser.ts";

/** In degrees (WGS 84): north and east are positive. */
export interface Coordinates {
  readonly latitude: number;
  readonly longitude: number;
}

/**
 * Degrees as numbers, from text (`"40°26′46″N 79°58′56″W"`, `"N40 26.767 W79 58.933"`, `"40.446, -79.982"`), from
 * `{ latitude, longitude }`, or from `{ lat, lon }`, as numbers or text. Rounded to `digits` after the point: 5 unless
 * said otherwise, which is about a metre. Beyond the poles and 180° is no place.
 */
export function coordinates(options: { readonly digits?: number } = {}): Normaliser<Coordinates> {
  const { digits = 5 } = options;
  if (!Number.isInteger(digits) || digits < 0 || digits > 9)
    throw new TypeError(`Coordinates are rounded to 0 to 9 digits; ${digits} is not such a number.`);
  const rounded = (degrees: number): number => Number(degrees.toFixed(digits)) || 0;
  return toNormaliser("place", (value) => {
    const [latitude, longitude] = typeof value === "object" ? fromParts(value as Parts) : fromText(String(value));
    if (latitude === undefined || longitude === undefined) return undefined;
    const isPlace = Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
    return isPlace ? { latitude: rounded(latitude), longitude: rounded(longitude) } : undefined;
  });
}

interface Parts {
  readonly [part: string]: unknown;
}
type Pair = readonly [number | undefined, number | undefined];

const fromParts = (parts: Parts): Pair => [
  toDegrees(parts.latitude ?? parts.lat),
  toDegrees(parts.longitude ?? parts.lon ?? parts.lng),
];

function fromText(text: string): Pair {
  const parts = text.split(/[,;]|\s+/).filter(Boolean);
  // The library refuses decimal pairs with few digits, so those are read here.
  if (parts.length === 2 && parts.every((part) => decimal.test(part)))
    return [toDegrees(parts[0]), toDegrees(parts[1])];
  const { decimalLatitude, decimalLongitude } = convert(text, 9);
  return [decimalLatitude, decimalLongitude];
}

// An empty cell is not the equator.
function toDegrees(part: unknown): number | undefined {
  if (typeof part === "number") return Number.isFinite(part) ? part : undefined;
  return typeof part === "string" && decimal.test(part.trim()) ? Number(part) : undefined;
}
const decimal = /^[-+]?\d{1,3}(\.\d+)?$/;
