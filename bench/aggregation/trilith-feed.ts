import { type Batch, type Input, runFeed, tumbling, type Windowed, windowed } from "trilith/aggregation";
import { systemClock } from "trilith/contracts";
import { timed } from "../frame/closed-loop.ts";
import { type Open, Wrong } from "../frame/subject.ts";
import { checkWindows, type Given, outOfOrder, type Reading, type Sum, toReadings, toSums } from "./feed-records.ts";

const batchSize = 1_000;

/** A feed of two inputs, whose windows are given out as event time passes them and whose state is kept as it goes. */
export const feed: Open = async ({ size }) => {
  const inputs = toReadings(size);
  const expected = toSums(inputs);
  return {
    async round() {
      const given: Given[] = [];
      const stage = toStage();
      const measured = await timed(size, async () => {
        const [one, other] = inputs;
        const running = runFeed<Reading, Windowed<Sum>>({
          name: "sums",
          inputs: [toInput("one", one), toInput("other", other)],
          stage,
          clock: systemClock,
          state: { load: async () => undefined, save: async () => {} },
        });
        for await (const { records } of running)
          for (const { start, key, value } of records) given.push([start, key, value]);
      });
      if (stage.late > 0) throw new Wrong(`${stage.late} records were late, and none is.`);
      checkWindows(given, expected);
      return measured;
    },
    verify: async () => {}, // each window was looked at, and what is kept is the port's
    close: async () => {},
  };
};

const toStage = () =>
  windowed<Reading, Sum, Sum>({
    windows: tumbling("1h"),
    key: ({ place }) => place,
    aggregate: {
      initial: () => ({ count: 0, total: 0 }),
      add(sum, { value }) {
        sum.count += 1;
        sum.total += value;
        return sum;
      },
      result: (sum) => sum,
    },
  });

const toInput = (name: string, readings: readonly Reading[]): Input<Reading> => ({
  name,
  at: ({ at }: Reading) => at,
  outOfOrder,
  async *read(): AsyncGenerator<Batch<Reading>> {
    for (let from = 0; from < readings.length; from += batchSize)
      yield { records: readings.slice(from, from + batchSize), position: from };
  },
});
