// A backend whose runs write to their store between waits and actions that take a while. Run by deployment.test.ts.
import { setTimeout as pause } from "node:timers/promises";
import { backend } from "trilith";
import { command, contract, event } from "trilith/contracts";
import { workflow } from "trilith/orchestration";
import { entity, store } from "trilith/storage";
import { z } from "zod";

const Parcel = z.object({ parcel: z.string(), stage: z.int() });
const Depot = contract("depot", "1.0.0", { move: command({ input: Parcel }), Moved: event(Parcel) });
const Parcels = contract("parcels", "1.0.0", {
  send: command({
    input: z.object({ parcel: z.string() }),
    output: z.object({ by: z.string() }),
    http: "POST /parcels",
    access: "public",
  }),
});
const shelves = entity("shelf", {
  events: Depot,
  state: z.object({ moved: z.int() }),
  initial: { moved: 0 },
  evolve: { Moved: ({ moved }) => ({ moved: moved + 1 }) },
});
// Nothing here tells a repetition by what it is: only its key does.
const depot = store(
  Depot,
  { shelves },
  { move: (parcel, { shelves }) => shelves(parcel.parcel).decide((_, { Moved }) => Moved(parcel)) },
);
const send = workflow(Parcels.send, { version: 1, uses: [Depot] }, async ({ parcel }, { depot, run }) => {
  for (let stage = 0; stage < 6; stage++) {
    await depot.move({ parcel, stage });
    if (stage % 2 === 0) await run.sleep("150ms");
    else await run.step("drive", () => pause(150));
  }
  return { by: process.env.NODE_NAME ?? "" };
});

export default backend("parcels", { storage: [depot], orchestration: [send] });
