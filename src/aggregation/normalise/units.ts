/** Measures in one unit, by the package `convert`, which whoever imports this installs. */
import { convert, type Unit } from "convert";
import { type Normaliser, toNormaliser } from "./normaliser.ts";

/** A number and its unit. */
export interface Measure {
  readonly value: number;
  readonly unit: string;
}

/**
 * A measure in `unit`: from text with a unit (`"5,200 ft"`), from `{ value, unit }`, or, where `from` says what bare
 * numbers mean, from a number. Rounded to 12 digits, below which there is nothing but the noise of floating point.
 */
export function measure(unit: Unit, options: { readonly from?: Unit } = {}): Normaliser<Measure> {
  convert(1, unit as "m"); // throws, when it is declared, for what is no unit
  return toNormaliser(`measure in ${unit}`, (value) => {
    const said = toMeasure(value, options.from);
    if (!said || !Number.isFinite(said.value)) return undefined;
    if (said.unit === unit) return { value: said.value || 0, unit };
    // Which units go together is known to the library, and it throws where they do not.
    const converted = convert(said.value, said.unit as "m").to(unit as "m");
    return Number.isFinite(converted) ? { value: Number(converted.toPrecision(12)) || 0, unit } : undefined;
  });
}

function toMeasure(value: unknown, from: Unit | undefined): Measure | undefined {
  if (typeof value === "number") return from && { value, unit: from };
  if (typeof value === "object") {
    const { value: number, unit } = value as Partial<Measure>;
    return typeof number === "number" && typeof unit === "string" ? { value: number, unit } : undefined;
  }
  const [, digits = "", unit = from] =
    /^([-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d+)?)\s*(\D.*)?$/i.exec(String(value).trim()) ?? [];
  return digits && unit ? { value: Number(digits.replaceAll(",", "")), unit } : undefined;
}
