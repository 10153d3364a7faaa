import type { Clock } from "../contracts/index.ts";

/** Fills bytes with chance. */
export type Chance = (bytes: Uint8Array<ArrayBuffer>) => void;
export const systemChance: Chance = (bytes) => {
  crypto.getRandomValues(bytes);
};

const drawn = 10;
const pooled = 4_096;
const variants = ["8", "9", "a", "b"] as const;

/** UUIDv7 (RFC 9562): a time and 74 bits of chance, so that what is made together lies together in an index. */
export function toIds(clock: Clock, chance: Chance = systemChance): () => string {
  const pool = new Uint8Array(drawn * pooled);
  let digits = "";
  let next = pooled;
  let last = -1;
  let time = "";
  return () => {
    if (next === pooled) {
      chance(pool);
      digits = Buffer.from(pool.buffer).toString("hex");
      next = 0;
    }
    const from = 2 * drawn * next;
    const variant = variants[(pool[drawn * next++] as number) & 0x03]; // inside the pool; the digit is spelled nowhere else
    const now = Math.floor(clock.now());
    // Spelled once a millisecond: most ids are drawn in one that had others.
    if (now !== last) {
      const spelled = now.toString(16).padStart(12, "0");
      time = `${spelled.slice(0, 8)}-${spelled.slice(8)}-7`;
      last = now;
    }
    const part = (at: number, length: number): string => digits.slice(from + at, from + at + length);
    return `${time}${part(2, 3)}-${variant}${part(5, 3)}-${part(8, 12)}`;
  };
}
