import { useEffect, useState } from "preact/hooks";

/** The time, anew for (about) every second frame while something grows; twice a second for those who asked for less motion. */
export function useFrames(growing: boolean, time: () => number): number {
  const [now, set] = useState(time);
  // `time` is another function on every drawing and reads the same clock.
  useEffect(() => {
    if (!growing) return;
    const everyMs = matchMedia("(prefers-reduced-motion: reduce)").matches ? 500 : 30;
    let last = 0;
    let frame = requestAnimationFrame(function step(at) {
      if (at - last >= everyMs) {
        last = at;
        set(time());
      }
      frame = requestAnimationFrame(step);
    });
    return () => cancelAnimationFrame(frame);
  }, [growing]);
  return now;
}
