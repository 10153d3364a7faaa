/** A bound as the engine takes it: a position, or an instant. Both are inclusive. */
export function toUntil(until: Date | number | undefined): {
  readonly untilPosition?: number;
  readonly untilAt?: number;
} {
  if (until === undefined) return {};
  const limit = typeof until === "number" ? until : until.getTime();
  if (Number.isNaN(limit)) throw new TypeError("An instant or a position is needed; this is neither.");
  return typeof until === "number" ? { untilPosition: limit } : { untilAt: limit };
}
