// A backend with a feed of two inputs, out of order and some of it too late, that tells a store of windows. Its inputs take
// another time for each batch at each start, so that they never interleave twice in the same way. Run by feed-processes.test.ts.
import { setTimeout as pause } from "node:timers/promises";
import { backend } from "trilith";
import { feed, type Input, tumbling, windowed } from "trilith/aggregation";
import { command, contract, event, query } from "trilith/contracts";
import { entity, store } from "trilith/storage";
import { z } from "zod";

export interface Sighting {
  readonly id: number;
  readonly place: string;
  readonly at: number;
}
const Window = z.object({ place: z.string(), start: z.int(), revision: z.int(), ids: z.array(z.int()) });
const Straggler = z.object({ id: z.int() });
export const Sightings = contract("sightings", "1.0.0", {
  record: command({ input: Window }),
  miss: command({ input: Straggler }),
  told: query({
    input: z.object({}),
    output: z.object({ windows: z.array(Window), late: z.array(z.int()) }),
    http: "GET /told",
    access: "public",
  }),
  Recorded: event(Window),
  Missed: event(Straggler),
});
const books = entity("book", {
  events: Sightings,
  state: z.object({ windows: z.array(Window), late: z.array(z.int()) }),
  initial: { windows: [], late: [] },
  evolve: {
    Recorded: ({ windows, late }, window) => ({ windows: [...windows, window], late }),
    Missed: ({ windows, late }, { id }) => ({ windows, late: [...late, id] }),
  },
});
export const book = store(
  Sightings,
  { books },
  {
    record: (window, { books }) => books("all").decide((_, { Recorded }) => Recorded(window)),
    miss: (one, { books }) => books("all").decide((_, { Missed }) => Missed(one)),
    told: async (_, { books }) => (await books("all").state()) ?? { windows: [], late: [] },
  },
);

export const windowMs = 10_000;
const batch = 4;
/** Every third record comes up to half a minute later than it should, which is more than is waited for. */
export const sightings: readonly (readonly Sighting[])[] = [0, 1].map((input) =>
  Array.from({ length: 400 }, (_, index): Sighting => {
    const back = index % 3 === 0 ? ((index * 7_919) % 30) * 1_000 : 0;
    return {
      id: 2 * index + input,
      place: index % 5 === 0 ? "sea" : "land",
      at: Math.max(0, index * 500 - back),
    };
  }),
);
const inputs = sightings.map(
  (records, at): Input<Sighting> => ({
    name: `watch-${at}`,
    at: ({ at }) => at,
    outOfOrder: "5s",
    async *read(after) {
      for (let from = Number(after ?? 0); from < records.length; from += batch) {
        await pause(Math.random() * 40);
        yield { records: records.slice(from, from + batch), position: from + batch };
      }
    },
  }),
) as [Input<Sighting>, Input<Sighting>]; // there are two

export default backend("sightings", {
  storage: [book],
  feeds: [
    feed("sightings", {
      inputs,
      stage: () =>
        windowed({
          windows: tumbling("10s"),
          key: ({ place }: Sighting) => place,
          aggregate: {
            initial: (): number[] => [],
            add: (ids, { id }) => [...ids, id],
            result: (ids: number[]) => ids,
          },
          allowedLateness: "10s",
        }),
      into: Sightings.record,
      input: ({ key, start, revision, value }) => ({ place: key, start, revision, ids: value }),
      key: ({ key, start, revision }) => `${key}/${start}/${revision}`,
      late: { into: Sightings.miss, input: ({ record }) => ({ id: record.id }), key: ({ record }) => `${record.id}` },
      keepEvery: 10,
    }),
  ],
});
