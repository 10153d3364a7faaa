import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Call, hottest, toCallTree } from "./call-tree.ts";
import { toFlameGraph } from "./flame-graph.ts";
import type { Profiles } from "./profiler.ts";

const root = resolve(import.meta.dirname, "../..");
const shown = 12;

/**
 * Writes the profile of each thread, for speedscope.app and for the developer tools of a browser, and a flame graph of
 * it. Gives the hottest functions, as lines.
 */
export async function writeProfiles(profiles: Profiles, folder: string): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const lines: string[] = [];
  for (const [thread, profile] of profiles) {
    const file = join(folder, thread.replaceAll(/[^\w-]+/g, "-"));
    const tree = toCallTree(profile, root);
    await writeFile(`${file}.cpuprofile`, JSON.stringify(profile));
    await writeFile(`${file}.svg`, toFlameGraph(tree, thread));
    lines.push(`${thread}: ${Math.round(tree.totalMs)} ms of work, ${file}.svg`, ...toLines(tree));
  }
  return lines;
}

const toLines = (tree: Call): readonly string[] =>
  hottest(tree, shown).map(({ name, place, selfMs }) => {
    const share = `${((selfMs / tree.totalMs) * 100).toFixed(1)}%`;
    return `  ${share.padStart(6)}  ${name}  ${place}`;
  });
