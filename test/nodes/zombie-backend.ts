// A backend whose runs call an outside service between two commands to their store. Run by zombie.test.ts.
import { backend } from "trilith";
import { command, contract, event } from "trilith/contracts";
import { workflow } from "trilith/orchestration";
import { entity, store } from "trilith/storage";
import { z } from "zod";

const Visit = z.object({ id: z.string() });
const Guests = contract("guests", "1.0.0", {
  note: command({ input: Visit }),
  leave: command({ input: Visit }),
  Noted: event(Visit),
  Left: event(Visit),
});
const Visits = contract("visits", "1.0.0", {
  make: command({ input: Visit, output: z.object({ by: z.string() }), http: "POST /visits", access: "public" }),
});
const book = entity("book", {
  events: Guests,
  state: z.object({ present: z.number() }),
  initial: { present: 0 },
  evolve: { Noted: ({ present }) => ({ present: present + 1 }), Left: ({ present }) => ({ present: present - 1 }) },
});
const guests = store(
  Guests,
  { book },
  {
    note: (visit, { book }) => book("all").decide((_, { Noted }) => Noted(visit)),
    leave: (visit, { book }) => book("all").decide((_, { Left }) => Left(visit)),
  },
);
const make = workflow(Visits.make, { version: 1, uses: [Guests] }, async (visit, { guests, run }) => {
  await guests.note(visit);
  await run.step("outside", async () => void (await fetch(process.env.OUTSIDE ?? "")), { timeout: "30s" });
  await guests.leave(visit);
  return { by: "survivor" };
});

export default backend("visits", { storage: [guests], orchestration: [make] });
