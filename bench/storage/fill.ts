import { type Deposited, toDeposited } from "./events.ts";

const perStream = 20;
const atOnce = 25;

/** Writes movements, as fast as the system takes them: so many to one stream, and some streams at once. */
export async function fill(
  from: number,
  to: number,
  append: (streams: readonly { readonly stream: string; readonly events: readonly Deposited[] }[]) => Promise<void>,
): Promise<void> {
  for (let next = from; next < to; ) {
    const streams = [];
    for (; streams.length < atOnce && next < to; next += perStream) {
      const length = Math.min(perStream, to - next);
      const events = Array.from({ length }, (_, index) => toDeposited(next + index));
      streams.push({ stream: `movements/${next / perStream}`, events });
    }
    await append(streams);
  }
}
