import type { Clock } from "../contracts/index.ts";

/** Fills bytes with chance. */
export type Chance = (bytes: Uint8Array<ArrayBuffer>) => void;
export const systemChance: Chance = (bytes) => {
  crypto.getRandomValues(bytes);
};

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const drawn = 10;
const pooled = 4_096;

/** UUIDv7 (RFC 9562): a time and 74 bits of chance, so that what is made together lies together in an index. */
export function toIds(clock: Clock, chance: Chance = systemChance): () => string {
  const pool = new Uint8Array(drawn * pooled);
  let next = pooled;
  let last = -1;
  let time = "";
  return () => {
    if (next === pooled) {
      chance(pool);
      next = 0;
    }
    const from = drawn * next++;
    const byte = (at: number): number => pool[from + at] as number; // inside the pool
    const two = (a: number, b: number): string => `${hex[a]}${hex[b]}`;
    const now = Math.floor(clock.now());
    // Spelled once a millisecond: most ids are drawn in one that had others.
    if (now !== last) {
      const digits = now.toString(16).padStart(12, "0");
      time = `${digits.slice(0, 8)}-${digits.slice(8)}`;
      last = now;
    }
    return `${time}-${two(0x70 | (byte(0) & 0x0f), byte(1))}-${two(
      0x80 | (byte(2) & 0x3f),
      byte(3),
    )}-${two(byte(4), byte(5))}${two(byte(6), byte(7))}${two(byte(8), byte(9))}`;
  };
}
