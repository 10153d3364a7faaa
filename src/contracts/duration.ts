/** A length of time as people write it: `"250ms"`, `"2 days"`. */
export type Duration =
  | `${number}${"ms" | "s" | "m" | "h" | "d"}`
  | `${number} ${"second" | "minute" | "hour" | "day" | "week"}${"" | "s"}`;

const unitMs: { readonly [unit: string]: number } = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
};

/** The milliseconds of a duration. Throws a sentence for what is not one. */
export function toMs(duration: Duration): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?(ms|s|m|h|d|(?:second|minute|hour|day|week)s?)$/.exec(duration) ?? [];
  const factor = unit && (unitMs[unit] ?? unitMs[unit.replace(/s$/, "")]);
  if (!amount || !factor)
    throw new TypeError(`"${duration}" is not a duration. Write it like "250ms", "2s" or "3 days".`);
  return Number(amount) * factor;
}
