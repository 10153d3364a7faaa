import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type AnyContract, toClientSource } from "../contracts/index.ts";
import type { Output } from "./contracts-command.ts";

/** Writes a client for contracts into a file, or says it where no file is named. */
export async function writeClient(
  contracts: readonly AnyContract[],
  longRunning: readonly string[],
  out: string | undefined,
  { say }: Output,
): Promise<number> {
  const source = toClientSource({ contracts, longRunning });
  if (out === undefined) say(source.trimEnd());
  else {
    await writeFile(resolve(out), source);
    say(`Written: ${out}`);
  }
  return 0;
}
