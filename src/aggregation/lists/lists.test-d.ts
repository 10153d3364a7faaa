// What lists, nested fields and rules that may find nothing infer, and what must not compile: one mistake a line.
import { z } from "zod";
import { contract, query } from "../../contracts/index.ts";
import {
  after,
  asking,
  json,
  list,
  majority,
  many,
  max,
  mostComplete,
  nested,
  prefer,
  quorum,
  rule,
  source,
  union,
  view,
} from "../index.ts";
import { phoneNumber } from "../normalise/phones.ts";

const Card = z.object({
  id: z.string(),
  name: z.string(),
  phone: z.string().optional(),
  sky: z.object({ now: z.string().optional() }).optional(),
});
const Page = z.object({ name: z.string(), phone: z.string().optional(), items: z.array(Card).optional() });
const Shops = contract("shops", "1.0.0", {
  list: query({
    input: z.object({ city: z.string().optional(), after: z.string().optional() }),
    output: z.object({ items: z.array(Card), complete: z.boolean(), next: z.string().optional() }),
  }),
  silent: query({ input: z.object({}), output: z.object({ items: z.array(Card) }) }),
  page: query({ input: z.object({ id: z.string() }), output: Page }),
  pages: query({
    input: z.object({ ids: z.array(z.string()), id: z.string().optional() }),
    output: z.object({
      items: z.array(
        z.object({ key: z.string(), state: z.string(), value: Page.optional(), problem: z.string().optional() }),
      ),
    }),
  }),
  bare: query({ input: z.object({ ids: z.array(z.string()) }), output: z.object({ items: z.array(z.string()) }) }),
});
const Row = z.object({ id: z.string(), name: z.string(), phone: z.string() });
const rows = source("rows", {
  get: json("https://a.test/all", z.array(Row)),
  shape: (all) => all.map(({ phone, ...row }) => ({ ...row, phone: phoneNumber({ country: "NO" })(phone) })),
});
const others = source("others", { get: json("https://b.test/all", z.array(z.object({ title: z.string() }))) });
const sky = source("sky", { get: json("https://c.test/{id}", z.object({ now: z.string() })) });
const elsewhere = source("elsewhere", { get: json("https://d.test/{icao}", z.object({ now: z.string() })) });

const fields = {
  id: prefer(rows),
  name: max(rows),
  phone: majority(rows),
  sky: nested({ now: prefer(sky) }),
};
list(Shops.list, {
  budget: "1s",
  same: "id",
  fields,
  where: { city: ({ name }, city) => name === city },
  orderBy: ["-name"],
}).id satisfies "shops.list";
// @ts-expect-error a list without the word whether it is complete
list(Shops.silent, { budget: "1s", same: "id", fields });
// @ts-expect-error no field of an item
list(Shops.list, { budget: "1s", same: "iden", fields });
// @ts-expect-error a record that has no such field
list(Shops.list, { budget: "1s", same: "id", fields: { ...fields, name: prefer(others) } });
// @ts-expect-error a filter on what is not asked
list(Shops.list, { budget: "1s", same: "id", fields, where: { town: () => true } });
// @ts-expect-error an order by what an item does not have
list(Shops.list, { budget: "1s", same: "id", fields, orderBy: ["-age"] });
// @ts-expect-error nested fields that need what an item does not have
list(Shops.list, { budget: "1s", same: "id", fields: { ...fields, sky: nested({ now: prefer(elsewhere) }) } });
// @ts-expect-error nested fields that the item does not have
list(Shops.list, { budget: "1s", same: "id", fields: { ...fields, sky: nested({ name: prefer(sky) }) } });

// many keys
const one = source("one", {
  get: json("https://e.test/{id}", Row),
  shape: ({ name, phone }) => ({ name, phone: phoneNumber()(phone) }),
});
const page = view(Shops.page, { budget: "1s", require: [one], fields: { name: prefer(one), phone: prefer(one) } });
many(Shops.pages, page, { keys: "ids", as: "id" }).id satisfies "shops.pages";
// @ts-expect-error no list of keys
many(Shops.pages, page, { keys: "id", as: "id" });
// @ts-expect-error no field of the view's input
many(Shops.pages, page, { keys: "ids", as: "ids" });
// @ts-expect-error no room for a key's state
many(Shops.bare, page, { keys: "ids", as: "id" });

// rules that may find nothing: for optional fields, or with a default
view(Shops.page, { budget: "1s", require: [one], fields: { name: prefer(one), phone: quorum(1, one) } });
view(Shops.page, { budget: "1s", require: [one], fields: { name: quorum(1, one).or("?"), phone: mostComplete(one) } });
// @ts-expect-error a quorum may not come about though its source is up
view(Shops.page, { budget: "1s", require: [one], fields: { name: quorum(1, one), phone: prefer(one) } });
const mine = rule("mine", ([first]) => first, one);
// @ts-expect-error a rule of one's own may take none
view(Shops.page, { budget: "1s", require: [one], fields: { name: mine, phone: prefer(one) } });
const unsure = source("unsure", {
  get: json("https://f.test/{id}", Row),
  shape: ({ phone }) => ({ name: phoneNumber()(phone) }),
});
// @ts-expect-error what may not be normalised is not always there
view(Shops.page, { budget: "1s", require: [unsure], fields: { name: prefer(unsure), phone: prefer(one) } });
view(Shops.page, { budget: "1s", require: [unsure], fields: { name: prefer(unsure).or("?"), phone: prefer(one) } });

// dependent sources, and lists with nested fields
const dependent = after(one, elsewhere, ({ name }) => ({ icao: name }));
const renamed = asking(sky, ({ to }: { to: string }) => ({ id: to }));
nested({ now: prefer(renamed) }).given satisfies "to" | undefined;
nested({ now: prefer(dependent) }).given satisfies "id" | undefined;
// @ts-expect-error a parameter that the source does not have
asking(sky, ({ to }: { to: string }) => ({ icao: to }));
// @ts-expect-error a field that the first source does not have
after(one, elsewhere, ({ icao }) => ({ icao }));
const cards = source("cards", {
  get: json("https://g.test/{id}", z.array(z.object({ id: z.string(), name: z.string() }))),
});
view(Shops.page, {
  budget: "1s",
  require: [one],
  fields: { name: prefer(one), phone: prefer(one), items: union(cards).with({ sky: nested({ now: prefer(sky) }) }) },
});
// @ts-expect-error nested fields that need what an item does not have
union(cards).with({ sky: nested({ now: prefer(elsewhere) }) });
