import { type Clock, systemClock } from "../src/contracts/index.ts";

/**
 * The machine's own time, which a test can put forward: what was to happen by then happens now, and all else goes on as
 * before. It passes `slowness` times slower, so that budgets of milliseconds hold on a machine that is busy with tests.
 */
export interface SkippingClock extends Clock {
  skip(ms: number): void;
}

interface Timer {
  readonly atMs: number;
  readonly wake: () => void;
  disarm: () => void;
}

export function skippingClock(slowness: number): SkippingClock {
  const timers = new Set<Timer>();
  let skippedMs = 0;
  const startedMs = systemClock.now();
  const startedMonotonicMs = systemClock.monotonic();
  const passedMs = (): number => (systemClock.monotonic() - startedMonotonicMs) / slowness + skippedMs;
  const monotonic = (): number => startedMonotonicMs + passedMs();
  const arm = (timer: Timer): void => {
    timer.disarm = systemClock.after((timer.atMs - monotonic()) * slowness, () => {
      timers.delete(timer);
      timer.wake();
    });
  };
  return {
    now: () => Math.floor(startedMs + passedMs()),
    monotonic,
    after(ms, wake) {
      const timer: Timer = { atMs: monotonic() + ms, wake, disarm: () => {} };
      timers.add(timer);
      arm(timer);
      return () => {
        timers.delete(timer);
        timer.disarm();
      };
    },
    skip(ms) {
      skippedMs += ms;
      for (const timer of timers) {
        timer.disarm();
        arm(timer);
      }
    },
  };
}
