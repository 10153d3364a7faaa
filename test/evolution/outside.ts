import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import jsonSchemaDiff from "json-schema-diff";
import { check_compat, initSync } from "jsoncompat";
import { operationsOf, toJsonSchema } from "trilith/contracts";
import { toClosed } from "../../src/evolution/wire.ts";
import type { Case } from "./catalogue.ts";

/** One question of the catalogue as any tool can be asked it: is every value of the first schema one of the second? */
export interface Pair {
  readonly name: string;
  readonly inner: object;
  readonly outer: object;
}
export type Answer = "yes" | "no" | "cannot tell";

export function pairsOf(cases: readonly Case[]): readonly Pair[] {
  return cases.flatMap(({ group, name, before, after }) => {
    if (group !== "input" && group !== "output") return [];
    const [was, is] = [before, after].map((contract) => {
      const [operation] = operationsOf(contract);
      return toClosed(toJsonSchema(operation?.[group] as never)) as object; // every case of these groups has one operation
    }) as [object, object];
    return [
      { name: `${group}: ${name}`, ...(group === "input" ? { inner: was, outer: is } : { inner: is, outer: was }) },
    ];
  });
}

/** json-schema-diff 1.0: set algebra over drafts up to 7. */
export async function askJsonSchemaDiff({ inner, outer }: Pair): Promise<Answer> {
  try {
    const { removalsFound } = await jsonSchemaDiff.diffSchemas({ sourceSchema: inner, destinationSchema: outer });
    return removalsFound ? "no" : "yes";
  } catch {
    return "cannot tell";
  }
}

/** jsoncompat 0.4: Rust, compiled to WebAssembly. */
export async function openJsonCompat(): Promise<(pair: Pair) => Answer> {
  const file = createRequire(import.meta.url)
    .resolve("jsoncompat")
    .replace(/\.js$/, "_bg.wasm");
  initSync({ module: await readFile(file) });
  return ({ inner, outer }) => {
    try {
      // A "deserializer" is one that must read what was written before.
      return check_compat(JSON.stringify(inner), JSON.stringify(outer), "deserializer") ? "yes" : "no";
    } catch {
      return "cannot tell";
    }
  };
}
