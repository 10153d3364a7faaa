/**
 * The second net under the rule that layers meet at contracts only. The first is the compiler: a project may hold no
 * source file of another one that it does not reference. But it reads declarations wherever they lie, also those in
 * dist/; so here the compiler says which files each project's program holds, and because of which import.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { promisify } from "node:util";

/** The folders below src/ that have a project of their own. */
export async function projectsOf(root: string): Promise<readonly string[]> {
  return referencesOf(root, "");
}

/** What a project reaches and may not, each in a sentence. Wants the projects that it references to be built. */
export async function trespassesOf(root: string, project: string): Promise<readonly string[]> {
  const references = await referencesOf(root, project);
  const allowed = layers[project] ?? references;
  const sentences = references
    .filter((reference) => !allowed.includes(reference))
    .map((reference) => `src/${project}/tsconfig.json references ${reference}.`);
  for (const { file, importer, specifier } of await importsOf(root, project)) {
    if (!importer.startsWith(`src/${project}/`) || isAtHome(file, specifier, importer, project, allowed)) continue;
    const lines = (await readFile(join(root, importer), "utf8")).split("\n");
    const line = lines.findIndex((text) => text.includes(specifier)) + 1;
    sentences.push(`${importer}:${line} imports "${specifier}".`);
  }
  const may = ["its own folder", ...allowed].join(" and ");
  return sentences.map((sentence) => `${sentence} ${project} may import ${may}.`);
}

/** What the layers may reference, whatever their tsconfig says. */
const layers: { readonly [project: string]: readonly string[] } = {
  contracts: [],
  orchestration: ["contracts"],
  aggregation: ["contracts"],
  storage: ["contracts"],
  evolution: ["contracts"],
};

function isAtHome(
  file: string,
  specifier: string,
  importer: string,
  project: string,
  allowed: readonly string[],
): boolean {
  if (file.startsWith(`src/${project}/`)) return true;
  if (/(^|\/)node_modules\//.test(file)) return true;
  // What is imported from a referenced project's source, the compiler reads in that project's output.
  const relative = specifier.startsWith(".") && posix.join(posix.dirname(importer), specifier);
  if (relative && !relative.startsWith("src/")) return false;
  return allowed.some((reference) => file.startsWith(`dist/${reference}/`));
}

interface Import {
  readonly file: string;
  readonly importer: string;
  readonly specifier: string;
}

async function importsOf(root: string, project: string): Promise<readonly Import[]> {
  const tsc = join(root, "node_modules/typescript/lib/tsc.js");
  const flags = ["-p", `src/${project}`, "--listFilesOnly", "--explainFiles"];
  const options = { cwd: root, maxBuffer: 2 ** 26 };
  // What does not compile is listed all the same.
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, ...flags], options).catch(
    (error: { readonly stdout: string }) => error,
  );
  const imports: Import[] = [];
  let file = "";
  for (const line of stdout.split("\n")) {
    if (!line.startsWith(" ")) file = line;
    const [, specifier, importer] = /^\s+(?:Imported|Referenced) via ["'](.+?)["'] from file '(.+?)'/.exec(line) ?? [];
    if (specifier && importer) imports.push({ file, importer, specifier });
  }
  if (imports.length === 0 && !stdout.includes(`src/${project}/`))
    throw new Error(`The compiler lists no file of src/${project}; has the output of --explainFiles changed?`);
  return imports;
}

async function referencesOf(root: string, project: string): Promise<readonly string[]> {
  const config = JSON.parse(await readFile(join(root, "src", project, "tsconfig.json"), "utf8")) as {
    readonly references: readonly { readonly path: string }[];
  };
  return config.references.map(({ path }) => posix.join(project, path));
}

if (import.meta.main) {
  const root = join(import.meta.dirname, "..");
  const projects = await projectsOf(root);
  const trespasses: string[] = [];
  for (const project of projects) trespasses.push(...(await trespassesOf(root, project)));
  for (const trespass of trespasses) console.error(trespass);
  if (trespasses.length > 0) process.exit(1);
  console.log(`${projects.length} projects, and none reaches further than it may.`);
}
