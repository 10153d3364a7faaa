import type { HrTime } from "@opentelemetry/api";

const jumpMs = 50;

/**
 * The wall clock with the resolution of the monotonic one, so that spans of one millisecond stay in order.
 * Follows the machine's clock when that is set anew; in between it never goes back.
 */
export function createWallClock(): () => HrTime {
  let offset = performance.timeOrigin;
  return () => {
    const monotonic = performance.now();
    const wall = Date.now();
    if (Math.abs(wall - (offset + monotonic)) > jumpMs) offset = wall - monotonic;
    const ms = offset + monotonic;
    const seconds = Math.floor(ms / 1_000);
    return [seconds, Math.floor((ms - seconds * 1_000) * 1e6)];
  };
}
