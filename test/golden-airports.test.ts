import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { goldenAirports } from "../examples/trips/aggregation/golden-airports.ts";
import { Airports } from "../examples/trips/contracts.ts";
import { loadFaa } from "../examples/trips/data/faa.ts";
import { loadOpenFlights } from "../examples/trips/data/openflights.ts";
import { loadOurAirports } from "../examples/trips/data/ourairports.ts";
import { toCsv, toOpenFlights, toXml } from "../examples/trips/upstreams/registry-words.ts";
import { provideViews, type UpstreamAnswer } from "../src/aggregation/host.ts";
import type { ItemMeta, ViewMeta } from "../src/aggregation/index.ts";
import { anonymous, type CallerOutput, type Provider, silent, systemClock } from "../src/contracts/index.ts";
import { startTripsBackend, type TripsBackend } from "./trips-backend.ts";

// Every number of docs/golden-airports.md, counted again from the registries.
type Page = CallerOutput<typeof Airports.list>;
interface Row {
  readonly airport: { readonly [field: string]: unknown };
  readonly fields: ItemMeta["fields"];
}
let rows: readonly Row[] = [];
let last: ViewMeta;
let page: string;

beforeAll(async () => {
  page = await readFile(join(import.meta.dirname, "../docs/golden-airports.md"), "utf8");
  rows = await readAll((records) => records);
}, 120_000);

describe("the golden records of all airports", () => {
  test("are as many as the page says, from as many registries", () => {
    const codes = Map.groupBy(rows, ({ airport }) => airport.iata);
    const several = [...codes.values()].filter((same) => same.length > 1);
    const records = [loadOpenFlights().size, [...loadOurAirports().values()].flat().length, loadFaa().size];
    says(
      `${records
        .map(count)
        .join(", ")
        .replace(/, (?=[^ ]*$)/, " and ")} records`,
    );
    says(`${count(last.list?.found ?? 0)} airports`);
    says(`${count((last.list?.found ?? 0) - rows.length)} of them have no name`);
    says(`${count(rows.length)} golden records`);
    says(`${count(codes.size)} codes`);
    says(`${count(several.length)} codes stand for more than one airport`);
    says(`${count(last.list?.doubts ?? 0)} pairs`);
    for (const names of [
      "openflights",
      "ourairports",
      "faa",
      "openflights, ourairports",
      "openflights, faa",
      "ourairports, faa",
      "openflights, ourairports, faa",
    ])
      says(`| ${names} | ${count(rows.filter((row) => registriesOf(row).join(", ") === names).length)} |`);
  });

  test.each(["name", "city", "country", "position"])(
    "have as many conflicts in %s, and took as many from each registry",
    (field) => {
      const metas = rows.map(({ fields }) => fields[field]);
      const conflicts = metas.filter((meta) => meta?.conflict).length;
      const taken = ["openflights", "ourairports", "faa"].map(
        (name) => metas.filter((meta) => meta?.source === `${name}-list`).length,
      );
      const unusable = metas.flatMap((meta) => meta?.rejected ?? []).filter((rejected) => rejected.unusable).length;
      const none = metas.filter((meta) => meta?.source === undefined).length;
      const rule = metas[0]?.rule.replaceAll("-list", "");
      says(`| ${field} | \`${rule}\` | ${[...taken, none, conflicts, unusable].map(count).join(" | ")} |`);
    },
  );

  test.each([
    ["VPS", "name"],
    ["ATL", "name"],
    ["RTM", "name"],
    ["AJI", "name"],
    ["CPX", "country"],
    ["IDL", "city"],
    ["MNM", "city"],
    ["CLD", "city"],
    ["AAA", "position"],
    ["GPI", "position"],
  ])("of %s disagree about the %s as the page explains", (iata, field) => {
    const [row, ...more] = rows.filter(({ airport }) => airport.iata === iata);
    const meta = row?.fields[field];
    expect(more).toEqual([]);
    expect(meta?.conflict).toBe(true);
    const others = (meta?.rejected ?? [])
      .filter((rejected) => "value" in rejected)
      .map(({ source, value, why }) => `${plainName(source)}: ${shown(value)} (${plainName(why)})`);
    says(
      `| ${iata} ${field} | **${plainName(meta?.source ?? "")}: ${shown(row?.airport[field])}**; ${others.join("; ")} |`,
    );
  });

  test("keep two airports with one code apart", () => {
    const named = (iata: string) =>
      rows.filter(({ airport }) => airport.iata === iata).map(({ airport }) => `${airport.name}, ${airport.country}`);
    for (const iata of ["PVG", "SAV", "TKP"]) says(`| ${iata} | ${named(iata).toSorted().join("; ")} |`);
  });

  test("have the same bytes where the registries name their airports the other way round", async () => {
    const otherwise = await readAll((records) => records.toReversed());
    const digest = (all: readonly Row[]): string =>
      createHash("sha256")
        .update(JSON.stringify(all.map(({ airport, fields }) => [airport, Object.values(fields).map(withoutAge)])))
        .digest("hex");
    expect(digest(otherwise)).toBe(digest(rows));
  });
});

describe("over HTTP, from the upstreams of the example,", () => {
  let trips: TripsBackend;
  beforeAll(async () => {
    trips = await startTripsBackend();
  }, 120_000);
  afterAll(() => trips?.[Symbol.asyncDispose]());
  const ask = async <T = Page>(query: string): Promise<T> => {
    const answer = await fetch(`${trips.url}/airports?${query}`);
    expect(answer.status).toBe(200);
    return (await answer.json()) as T;
  };

  test("every airport is what it is in the batch, page by page", { timeout: 120_000 }, async () => {
    const found: Page["items"][number][] = [];
    let after: string | undefined;
    for (let turn = 0; turn < 30; turn++) {
      const { items, complete, next, ...about } = await ask(
        `limit=1000${after === undefined ? "" : `&after=${encodeURIComponent(after)}`}`,
      );
      expect([complete, about.found]).toEqual([true, last.list?.found]);
      found.push(...items);
      after = next;
      if (after === undefined) break;
    }
    expect(after).toBeUndefined();
    expect(found).toEqual(rows.map(({ airport }) => airport));
  });

  test.each([
    ["VPS", "US"],
    ["AJI", "TR"],
    ["CPX", "PR"],
    ["AAA", "PF"],
    ["GPI", "CO"],
  ])("%s carries the conflicts that the page explains, for whoever asks for them", async (iata, country) => {
    const told = { items: [] as Page["items"][number][], metas: [] as ItemMeta[] };
    for (let after: string | undefined = ""; after !== undefined; ) {
      const query: string = `country=${country}&limit=1000&meta=true${after && `&after=${encodeURIComponent(after)}`}`;
      const { data, meta } = await ask<WithMeta>(query);
      told.items.push(...data.items);
      told.metas.push(...(meta.items ?? []));
      after = data.next;
    }
    const at = told.items.findIndex((airport) => airport.iata === iata);
    const [row] = rows.filter(({ airport }) => airport.iata === iata && airport.country === country);
    expect(told.items[at]).toEqual(row?.airport);
    const fields = told.metas[at]?.fields ?? {};
    for (const field of ["name", "city", "country", "position"]) {
      const { conflict, source, rejected } = row?.fields[field] ?? {};
      expect(fields[field]).toMatchObject({ conflict, rejected, ...(source !== undefined && { source }) });
    }
    expect(Object.values(fields).some(({ conflict }) => conflict)).toBe(true);
  });

  test("the contract's example is what comes", async () => {
    const [example] = Airports.list.examples;
    expect(example).toBeDefined();
    expect(await ask(String(new URLSearchParams(example?.input as Record<string, string>)))).toEqual(
      example && "output" in example && example.output,
    );
  });

  test("a country's airports are those of the batch, and a country that cannot be is refused", async () => {
    const { items, found } = await ask("country=PR");
    const expected = rows.filter(({ airport }) => airport.country === "PR").map(({ airport }) => airport);
    expect([items, found]).toEqual([expected, expected.length]);
    const refused = await fetch(`${trips.url}/airports?country=Norway`);
    expect([refused.status, (await refused.json()).code]).toEqual([422, "InvalidInput"]);
  });
});

interface WithMeta {
  readonly data: Page;
  readonly meta: ViewMeta;
}
type Order = <T>(records: readonly T[]) => readonly T[];

/** What the registries would answer, each in an order. */
function bodiesIn(order: Order): { readonly [source: string]: readonly [type: string, body: string] | undefined } {
  return {
    "openflights-list": ["application/json", JSON.stringify(order([...loadOpenFlights().values()].map(toOpenFlights)))],
    "ourairports-list": ["text/csv; header=present", toCsv(order([...loadOurAirports().values()].flat()))],
    "faa-list": ["application/xml", toXml(order([...loadFaa().values()]))],
  };
}

/** Page after page, to the end. */
async function readAll(order: Order): Promise<readonly Row[]> {
  const nobody = () => Promise.reject(new Error("Nothing of this is another operation's."));
  const bodies = bodiesIn(order);
  const answer = async (source: string): Promise<UpstreamAnswer> => {
    const [type, body] = bodies[source] ?? ["", ""];
    return { status: 200, headers: { "content-type": `${type}; charset=utf-8` }, body: Buffer.from(body) };
  };
  const views = provideViews([goldenAirports], {
    upstream: { fetch: ({ source }) => answer(source) },
    dispatch: { call: nobody, void: nobody },
    clock: systemClock,
    random: Math.random,
    origins: {},
  });
  const all: Row[] = [];
  for (let after: string | undefined, turn = 0; turn < 20; turn++) {
    const { output, meta } = await ask(views.providers[0], { limit: 1_000, ...(after !== undefined && { after }) });
    for (const [at, airport] of output.items.entries()) all.push({ airport, fields: meta.items?.[at]?.fields ?? {} });
    last = meta;
    after = output.next;
    if (after === undefined) break;
  }
  await views.close();
  return all;
}
const withoutAge = (meta: object): object => ({ ...meta, ageMs: 0 });
async function ask(provider: Provider | undefined, input: object) {
  const call = { principal: anonymous, trace: silent, aborted: new AbortController().signal };
  return (await provider?.handle(input, call, input)) as { readonly output: Page; readonly meta: ViewMeta };
}
const says = (text: string): void => expect(page).toContain(text);
const count = (number: number): string => number.toLocaleString("en");
const registriesOf = ({ fields }: Row): string[] => {
  const { source = "", rejected = [] } = fields.iata ?? {};
  return [source, ...rejected.filter((one) => "value" in one).map((one) => one.source)].map(plainName);
};
/** The page leaves out what tells a whole registry from one record of it. */
const plainName = (text: string): string => text.replaceAll("-list", "");
const shown = (value: unknown): string =>
  typeof value === "object" && value !== null ? Object.values(value).join(", ") : String(value);
