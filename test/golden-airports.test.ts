import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { loadFaa } from "../examples/trips/data/faa.ts";
import { loadOpenFlights } from "../examples/trips/data/openflights.ts";
import { loadOurAirports } from "../examples/trips/data/ourairports.ts";
import { provideViews } from "../src/aggregation/host.ts";
import type { ItemMeta, ViewMeta } from "../src/aggregation/index.ts";
import { anonymous, type CallerOutput, type Provider, silent, systemClock } from "../src/contracts/index.ts";
import { type Golden, toGoldenAirports } from "./golden-airports.ts";

// Every number of docs/golden-airports.md, counted again from the registries.
type Page = CallerOutput<typeof Golden.airports>;
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
}, 60_000);

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
        (name) => metas.filter((meta) => meta?.source === name).length,
      );
      const unusable = metas.flatMap((meta) => meta?.rejected ?? []).filter((rejected) => rejected.unusable).length;
      const none = metas.filter((meta) => meta?.source === undefined).length;
      const rule = metas[0]?.rule;
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
      .map(({ source, value, why }) => `${source}: ${shown(value)} (${why})`);
    says(`| ${iata} ${field} | **${meta?.source}: ${shown(row?.airport[field])}**; ${others.join("; ")} |`);
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

/** Page after page, to the end. */
async function readAll(order: Parameters<typeof toGoldenAirports>[0]): Promise<readonly Row[]> {
  const nobody = () => Promise.reject(new Error("Nothing of this is on the network."));
  const views = provideViews([toGoldenAirports(order)], {
    upstream: { fetch: nobody },
    dispatch: { call: nobody, void: nobody },
    clock: systemClock,
    random: Math.random,
    origins: {},
  });
  const all: Row[] = [];
  for (let after: string | undefined, turn = 0; turn < 20; turn++) {
    const { output, meta } = await ask(views.providers[0], { limit: 2_000, ...(after !== undefined && { after }) });
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
  return [source, ...rejected.filter((one) => "value" in one).map((one) => one.source)];
};
const shown = (value: unknown): string =>
  typeof value === "object" && value !== null ? Object.values(value).join(", ") : String(value);
