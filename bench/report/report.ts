import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { installPackages } from "../frame/packages.ts";
import { type Results, readResults } from "../frame/results.ts";
import { goals } from "../goals.ts";
import { suites } from "../suites.ts";
import { growths, type Plots } from "./growth.ts";
import { type Chapter, toPage } from "./page.ts";
import { saysNothingBySpeed } from "./told-by.ts";

const docs = join(import.meta.dirname, "../../docs");
const pictures = "benchmarks";

/** Writes docs/benchmarks.md and its pictures from the last full run of each suite, or from a quick one where there is no other. */
export async function writeReport(): Promise<void> {
  const tell = (sentence: string): void => console.error(sentence);
  await installPackages(tell);
  await mkdir(join(docs, pictures), { recursive: true });
  const chapters: Chapter[] = [];
  for (const [name, suite] of Object.entries(suites)) {
    const results = (await readResults(name, "full")) ?? (await readResults(name, "quick"));
    if (!results) {
      tell(`The suite "${name}" was not measured yet, so it is left out. npm run bench -- ${name}`);
      continue;
    }
    const grown = await readResults(name, "scale");
    chapters.push({
      ...{ suite, goals: goals[name] ?? [], results, bars: await bars(results) },
      ...(grown && { grown: { results: grown, pictures: await lines(grown) } }),
    });
  }
  await writeFile(join(docs, "benchmarks.md"), toPage(chapters));
  tell("docs/benchmarks.md is written.");
}

/** By a name that is put together here: what it stands on is installed for a run of this folder, not for a check of all. */
const plots = (): Promise<Plots> => import(new URL("plots.ts", import.meta.url).href);

async function bars({ suite, findings }: Results): Promise<string> {
  const { toBars } = await plots();
  const shown = findings.filter(({ row }) => !saysNothingBySpeed(row));
  return picture(`${suite}.svg`, await toBars(shown));
}

async function lines({ suite, findings }: Results): Promise<NonNullable<Chapter["grown"]>["pictures"]> {
  const { toLines } = await plots();
  const drawn = [];
  for (const { name, title, x, y, point } of growths[suite] ?? []) {
    const points = findings.flatMap((finding) => {
      const found = point(finding);
      return found ? [{ ...found, system: finding.row.system }] : [];
    });
    if (points.length > 1)
      drawn.push({ title, file: await picture(`${suite}-${name}.svg`, await toLines(points, x, y)) });
  }
  return drawn;
}

async function picture(name: string, svg: string): Promise<string> {
  await writeFile(join(docs, pictures, name), svg);
  return `${pictures}/${name}`;
}
