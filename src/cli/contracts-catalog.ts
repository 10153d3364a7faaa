import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type AnyContract, toArazzo, toAsyncApi, toOpenApi } from "../contracts/index.ts";
import type { Catalog } from "../evolution/index.ts";
import { type Backend, catalogOf } from "../runtime/index.ts";
import { toCatalogPage } from "./catalog-page.ts";
import type { Output } from "./contracts-command.ts";

interface CatalogOptions {
  readonly lock: string;
  readonly longRunning: readonly string[];
  readonly contracts: readonly AnyContract[];
  /** A folder; without it the catalog is said as JSON. */
  readonly out: string | undefined;
}

/** Writes what is known of a backend's contracts: a page, the catalog as JSON, and every document that follows from them. */
export async function writeCatalog(backend: Backend, options: CatalogOptions, { say }: Output): Promise<number> {
  const { lock, longRunning, contracts, out } = options;
  const catalog = catalogOf(backend, await readFile(resolve(lock), "utf8").catch(() => undefined));
  if (out === undefined) {
    say(JSON.stringify(catalog, undefined, 2));
    return 0;
  }
  const version = contracts.length === 1 ? (contracts[0]?.["~contract"].version ?? "0.0.0") : "0.0.0";
  const about = { title: backend.name, version, contracts, longRunning };
  const arazzo = toArazzo({ ...about, openApi: "openapi.json" });
  const files: { readonly [file: string]: unknown } = {
    "catalog.json": catalog,
    "openapi.json": toOpenApi(about),
    "asyncapi.json": toAsyncApi(about),
    ...(arazzo && { "arazzo.json": arazzo }),
    ...schemasIn(catalog),
  };
  for (const [file, content] of Object.entries(files))
    await write(join(out, file), `${JSON.stringify(content, undefined, 2)}\n`);
  await write(join(out, "index.html"), toCatalogPage(catalog, Object.keys(files)));
  say(`Written: ${Object.keys(files).length + 1} files in ${out}, beginning with index.html`);
  return 0;
}

/** Each schema by itself, as JSON Schema 2020-12. */
function schemasIn({ contracts }: Catalog): { readonly [file: string]: unknown } {
  const dialect = { $schema: "https://json-schema.org/draft/2020-12/schema" };
  const schemas = contracts.flatMap(({ name, contract: { operations, events } }) => [
    ...Object.entries(operations).flatMap(([operation, { input, output }]) => [
      [`schemas/${name}.${operation}.input.json`, { ...dialect, ...input }] as const,
      [`schemas/${name}.${operation}.output.json`, { ...dialect, ...output }] as const,
    ]),
    ...Object.entries(events).map(
      ([event, { payload }]) => [`schemas/${name}.${event}.json`, { ...dialect, ...payload }] as const,
    ),
  ]);
  return Object.fromEntries(schemas);
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(resolve(file)), { recursive: true });
  await writeFile(resolve(file), text);
}
