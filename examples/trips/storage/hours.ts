// Facts: how punctual each hour of each airport was.
import { entity, readModel, store } from "trilith/storage";
import { z } from "zod";
import { Hour, Punctuality } from "../contracts.ts";

const counts = entity("hour", {
  events: Punctuality,
  state: z.object({ revision: z.int() }),
  initial: { revision: -1 },
  evolve: { HourCounted: (_, { revision }) => ({ revision }) },
});

const hours = readModel("hour", {
  version: 1,
  events: Punctuality,
  row: Hour.extend({ id: z.string() }),
  key: "id",
  indexes: ["iata", "hour"],
  on: { HourCounted: (hour, rows) => rows.put({ ...hour, id: `${hour.iata}-${hour.hour}` }) },
});

export const hourStore = store(
  Punctuality,
  { counts, hours },
  {
    record: (hour, { counts }) =>
      // What was told of before it was told of again says nothing new.
      counts(`${hour.iata}-${hour.hour}`).decide(({ revision }, { HourCounted }) =>
        hour.revision > revision ? HourCounted(hour) : [],
      ),
    hours: ({ iata }, { hours }) => hours.find({ iata }, { orderBy: "-hour", limit: 200 }),
  },
);
