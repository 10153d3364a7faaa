import { monitorEventLoopDelay } from "node:perf_hooks";
import { closedLoop, percentiles } from "../frame/closed-loop.ts";
import { Ledger } from "../frame/ledger.ts";
import type { Subject } from "../frame/subject.ts";
import { type Booked, fromBooked, toBooked } from "./events.ts";

export interface Appender {
  /** One append of some events to one new stream. Resolves when it is durable. */
  append(stream: string, events: readonly Booked[]): Promise<void>;
  /** Everything that was appended. */
  all(): AsyncIterable<Booked>;
  close(): Promise<void>;
}

const lateness = "one event, appended to a new stream; the times are how late the event loop is meanwhile";

/**
 * Clients that append, and hold what is there in the end against what they were told. Where many append at once it is
 * also told how late the event loop is meanwhile: what a request of somebody else would wait.
 */
export function appends(
  appender: Appender,
  { perAppend = 1, bytes = 0 }: { readonly perAppend?: number; readonly bytes?: number } = {},
): Subject {
  const ledger = new Ledger();
  const numbers = Array.from({ length: perAppend }, (_, index) => index);
  return {
    async round(asked) {
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      const measured = await closedLoop(asked, async (client) => {
        const written = numbers.map(() => ledger.next(client));
        const events = written.map((number) => toBooked(client, number, bytes));
        await appender.append(`booking/${client}-${written[0]}`, events);
        for (const number of written) ledger.acknowledged(client, number);
        return perAppend;
      });
      delay.disable();
      // It tells the time between two ticks that are a millisecond apart; what is above that is delay.
      const late = percentiles({ percentile: (percent) => Math.max(0, delay.percentile(percent) - 1e6) });
      return asked.clients === 1 || perAppend > 1
        ? measured
        : [measured, { ...measured, ...late, work: "loop-delay", what: lateness }];
    },
    verify: () => ledger.check(told(appender.all(), bytes)),
    close: () => appender.close(),
  };
}

async function* told(all: AsyncIterable<Booked>, bytes: number): AsyncGenerator<readonly [number, number]> {
  for await (const there of all) yield fromBooked(there, bytes);
}
