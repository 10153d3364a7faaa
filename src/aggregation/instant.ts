// Seconds reach this in the year 5138, milliseconds did in 1973.
const firstMilliseconds = 100_000_000_000;

/**
 * Milliseconds since 1970 of an ISO 8601 date or date and time, a `Date`, or seconds or milliseconds since 1970. A time
 * without a zone is UTC, so that an answer does not depend on where the machine stands.
 */
export function toInstant(value: unknown): number | undefined {
  if (value instanceof Date) return finite(value.getTime());
  if (typeof value === "number") return finite(Math.abs(value) < firstMilliseconds ? value * 1_000 : value);
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  if (/^-?\d+(\.\d+)?$/.test(text) && text.length > 4) return toInstant(Number(text));
  const parts = /^(\d{4}(?:-\d\d(?:-\d\d)?)?)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/i.exec(text);
  if (!parts) return undefined;
  const [, date, time, zone = "Z"] = parts;
  return finite(
    Date.parse(time ? `${date}T${time}${zone.toUpperCase().replace(/^([+-]\d\d)(\d\d)$/, "$1:$2")}` : `${date}`),
  );
}

// The range of a Date: what is outside could not be told either.
const finite = (ms: number): number | undefined => (Math.abs(ms) <= 8.64e15 ? ms : undefined);
