/** Days, instants and time zones, by the package `luxon`, which whoever imports this installs. */
import { DateTime, IANAZone } from "luxon";
import { type Normaliser, toNormaliser } from "./normaliser.ts";

export interface DateOptions {
  /** Of a time that names none, like `"America/Denver"`; without it, such a time is refused. */
  readonly zone?: string;
  /** How text is written where it is not ISO 8601, in luxon's letters: `"yyyy/MM/dd HH:mm"`. English names. */
  readonly format?: string;
}

/**
 * An instant as ISO 8601 in UTC with milliseconds, from ISO 8601, from `format`, or from a `Date`. A local time that the
 * zone skips (an hour in spring) is refused; one that it has twice is the earlier one.
 */
export function instant(options: DateOptions = {}): Normaliser<string> {
  const { zone, format } = options;
  if (zone !== undefined && !IANAZone.isValidZone(zone))
    throw new TypeError(`"${zone}" is no time zone, like "Europe/Oslo".`);
  return toNormaliser("point in time", (value) => {
    if (value instanceof Date) return toUtc(DateTime.fromJSDate(value));
    if (typeof value !== "string") return undefined;
    const said = value.trim();
    if (/^\d{4}-\d\d-\d\d[T ].*(z|[+-]\d\d:?\d\d)$/i.test(said))
      return toUtc(DateTime.fromISO(said.replace(" ", "T"), { setZone: true }));
    if (zone === undefined && !/[zZ]/.test(format ?? "")) return undefined;
    return format === undefined
      ? inZone(DateTime.fromISO(said.replace(" ", "T"), { zone: "utc" }), zone)
      : /[zZ]/.test(format)
        ? toUtc(DateTime.fromFormat(said, format, { locale: "en", setZone: true }))
        : inZone(DateTime.fromFormat(said, format, { zone: "utc", locale: "en" }), zone);
  });
}

/** A day without a time, `2026-01-31`, from ISO 8601 or from `format`. A time is refused: which day it is depends on where. */
export function day(options: { readonly format?: string } = {}): Normaliser<string> {
  return toNormaliser("day", (value) => {
    if (typeof value !== "string") return undefined;
    const said = value.trim();
    const iso = /^\d{4}-\d\d-\d\d$/.test(said) ? DateTime.fromISO(said, { zone: "utc" }) : undefined;
    const format = options.format;
    const read =
      iso ?? (format === undefined ? undefined : DateTime.fromFormat(said, format, { zone: "utc", locale: "en" }));
    return read?.isValid && read.year >= 0 && read.year <= 9999 ? (read.toISODate() ?? undefined) : undefined;
  });
}

/** A time zone of the IANA database in its usual spelling: `"europe/oslo"` is `"Europe/Oslo"`. */
export const timeZone: Normaliser<string> = toNormaliser("time zone", (value) => {
  if (typeof value !== "string" || !IANAZone.isValidZone(value.trim())) return undefined;
  return new Intl.DateTimeFormat("en", { timeZone: value.trim() }).resolvedOptions().timeZone;
});

/** The instant at which the clocks of a zone show what `wall` shows in UTC. */
function inZone(wall: DateTime, zone: string | undefined): string | undefined {
  if (!wall.isValid || zone === undefined) return undefined;
  const there = wall.setZone(zone, { keepLocalTime: true });
  const shown = there.toFormat("yyyy-MM-dd HH:mm:ss.SSS") === wall.toFormat("yyyy-MM-dd HH:mm:ss.SSS");
  if (!shown) return undefined;
  const [earliest] = there.getPossibleOffsets().toSorted((a, b) => a.toMillis() - b.toMillis());
  return toUtc(earliest ?? there);
}

// Beyond these years ISO 8601 needs a sign, and nobody's upstream means them.
const toUtc = (read: DateTime): string | undefined => {
  const utc = read.toUTC();
  return utc.isValid && utc.year >= 0 && utc.year <= 9999 ? (utc.toISO() ?? undefined) : undefined;
};
