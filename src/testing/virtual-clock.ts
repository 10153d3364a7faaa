import type { Clock } from "../contracts/index.ts";

/** A clock that stands still until it is told to go on: tests skip days in milliseconds. */
export interface VirtualClock extends Clock {
  /** Goes on by so many ms, timer by timer, letting everything that a timer sets off come to rest before the next. */
  advance(ms: number): Promise<void>;
  /** Goes on from timer to timer until `done`, or until no timer is left. */
  until(done: () => boolean | Promise<boolean>): Promise<void>;
  /** Stands still while work is under way that this process only waits for: of a disk, of another process. */
  during<T>(work: () => Promise<T>): Promise<T>;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly wake: () => void;
}

/** Starts at `start`, in ms since 1970. */
export function virtualClock(start: number = Date.UTC(2026, 0, 1)): VirtualClock {
  const timers = new Set<Timer>();
  let now = start;
  let order = 0;
  /** How often the clock was asked: whoever is at work asks it. */
  let asked = 0;
  let underWay = 0;
  const awaited: (() => void)[] = [];
  const settled = async (): Promise<void> => {
    for (let before = -1; before !== asked || underWay > 0; ) {
      before = asked;
      if (underWay > 0) await new Promise<void>((resolve) => awaited.push(resolve));
      await someTurns();
    }
  };
  const next = (): Timer | undefined => [...timers].sort((a, b) => a.at - b.at || a.order - b.order)[0];
  const fire = async (timer: Timer): Promise<void> => {
    timers.delete(timer);
    now = Math.max(now, timer.at);
    timer.wake();
    await settled();
  };
  return {
    now() {
      asked++;
      return now;
    },
    monotonic() {
      asked++;
      return now - start;
    },
    after(ms, wake) {
      asked++;
      const timer = { at: now + Math.max(0, ms), order: order++, wake };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      const end = now + ms;
      await settled();
      for (let timer = next(); timer && timer.at <= end; timer = next()) await fire(timer);
      now = end;
    },
    async during(work) {
      underWay++;
      try {
        return await work();
      } finally {
        asked++;
        underWay--;
        if (underWay === 0) for (const wake of awaited.splice(0)) wake();
      }
    },
    async until(done) {
      for (await settled(); !(await done()); ) {
        const timer = next();
        if (!timer)
          throw new Error("Time stands still: nothing is left to wait for, and what was awaited has not come.");
        await fire(timer);
      }
    },
  };
}

// A run takes a few turns of the event loop from one rest to the next, and one for each result that it replays.
async function someTurns(): Promise<void> {
  for (let quiet = 0, turns = 0; quiet < 20 && turns < 20_000; quiet++, turns++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (process.getActiveResourcesInfo().includes("Immediate")) quiet = 0;
  }
}
