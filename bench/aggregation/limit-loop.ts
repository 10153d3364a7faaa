import { timed } from "../frame/closed-loop.ts";
import type { Open } from "../frame/subject.ts";
import { checkWindows, type Given, toReadings, toSums } from "./feed-records.ts";

/** One loop over what is in memory already: no time that goes on, no order, and no state that is kept. */
export const version = (): string => process.versions.node;

export const works: { readonly [work: string]: Open } = {
  async feed({ size }) {
    const inputs = toReadings(size);
    const expected = toSums(inputs);
    return {
      async round() {
        const given: Given[] = [];
        const measured = await timed(size, async () => {
          for (const [start, hour] of toSums(inputs)) for (const [place, sum] of hour) given.push([start, place, sum]);
        });
        checkWindows(given, expected);
        return measured;
      },
      verify: async () => {}, // each window was looked at, and nothing is kept
      close: async () => {},
    };
  },
};
