// The backend that nodes run under fire: a store that would show each effect that came twice, an outside payment
// service, timers, signals and undo. Run by chaos.ts, as several processes on one PostgreSQL.
import { backend } from "trilith";
import { command, contract, event, failure, signal } from "trilith/contracts";
import { workflow } from "trilith/orchestration";
import { entity, store } from "trilith/storage";
import { z } from "zod";
import { Payments } from "../../examples/trips/contracts.ts";

const Item = z.object({ order: z.string(), shelf: z.string() });
const Stock = contract("stock", "1.0.0", {
  take: command({ input: Item }),
  giveBack: command({ input: Item }),
  keep: command({ input: Item }),
  Taken: event(Item),
  GivenBack: event(Item),
  Kept: event(Item),
});
const Order = Item.extend({ how: z.enum(["plain", "refused", "signalled", "ignored"]), pauseMs: z.int() });
const Orders = contract("orders", "1.0.0", {
  place: command({
    input: Order,
    output: z.object({ order: z.string() }),
    failures: { Refused: failure(409, "Nobody wants it.") },
    signals: { wanted: signal(z.object({ by: z.string() }), { access: "public" }) },
    http: "POST /orders",
    access: "public",
  }),
});

const shelves = entity("shelf", {
  events: Stock,
  state: z.object({ taken: z.number() }),
  initial: { taken: 0 },
  evolve: {
    Taken: ({ taken }) => ({ taken: taken + 1 }),
    GivenBack: ({ taken }) => ({ taken: taken - 1 }),
    Kept: (shelf) => shelf,
  },
});
// Nothing here tells a repetition by what it is: only its key does.
const stock = store(
  Stock,
  { shelves },
  {
    take: (item, { shelves }) => shelves(item.shelf).decide((_, { Taken }) => Taken(item)),
    giveBack: (item, { shelves }) => shelves(item.shelf).decide((_, { GivenBack }) => GivenBack(item)),
    keep: (item, { shelves }) => shelves(item.shelf).decide((_, { Kept }) => Kept(item)),
  },
);

const place = workflow(
  Orders.place,
  { version: 1, uses: [Stock, Payments] },
  async ({ order, shelf, how, pauseMs }, { stock, payments, run, fail }) => {
    const item = { order, shelf };
    const payment = run.uuid();
    // More attempts than an outage lasts: what an order comes to is said by the order, and by nothing that fails meanwhile.
    const patiently = { attempts: 30 };
    await stock.take(item, patiently).undo(() => stock.giveBack(item));
    await run.sleep(`${pauseMs}ms`);
    await payments
      .charge({ payment, card: "card-1", amount: 5 }, { ...patiently, timeout: "3s" })
      .undo(() => payments.refund({ payment }));
    if (how === "signalled") await run.signal.wanted.within("1 hour");
    if (how === "ignored" && !(await run.signal.wanted.within("700ms"))) throw fail.Refused();
    if (how === "refused") throw fail.Refused();
    await stock.keep(item, patiently);
    return { order };
  },
);

export default backend("chaos", {
  storage: [stock],
  orchestration: [place],
  remote: { payments: "https://payments.test" },
});
