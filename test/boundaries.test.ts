import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectsOf, trespassesOf } from "./boundaries.ts";

// One import at a time is planted in a copy of the repository, and the build of the project it stands in must fail.
const root = resolve(import.meta.dirname, "..");
let copy: string;

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), "trilith-boundaries-"));
  const kept = ["src", "package.json", "biome.json", "tsconfig.base.json"];
  const filter = (from: string): boolean => !/\.test(-d)?\.ts$/.test(from);
  await Promise.all(kept.map((name) => cp(join(root, name), join(copy, name), { recursive: true, filter })));
  await symlink(join(root, "node_modules"), join(copy, "node_modules"));
  await run(process.execPath, [tsc, "-b", "src"]);
}, 120_000);
afterAll(() => rm(copy, { recursive: true }));

const layers = ["orchestration", "aggregation", "storage"] as const;
const adapters = ["engines/sqlite", "transports", "gateway", "evolution", "runtime"] as const;

const importType = (from: string): string =>
  `import type * as It from "${from}";\nexport type Planted = keyof typeof It;`;

/** Every way to write an import that the compiler resolves. None names an export, so that only the import can be wrong. */
const forms: { readonly [form: string]: (from: string) => string } = {
  "a static import": (from) => `import * as it from "${from}";\nexport const planted: unknown = it;`,
  "an import for its effects": (from) => `import "${from}";`,
  "import type": importType,
  "an import of a type by name": (from) => `import { type Planted } from "${from}";\nexport type Again = Planted;`,
  "export … from": (from) => `export * as planted from "${from}";`,
  "export * from": (from) => `export * from "${from}";`,
  "export type … from": (from) => `export type * from "${from}";`,
  "a dynamic import": (from) => `export const planted = (): Promise<unknown> => import("${from}");`,
  "an import in a type": (from) => `export type Planted = keyof typeof import("${from}");`,
};

describe.each([...layers, "contracts"])("%s", (layer) => {
  const others = [...layers.filter((other) => other !== layer), ...adapters];
  const other = others[0] as string;

  it("builds as it is", async () => {
    expect(await build(layer)).toEqual({ built: true, text: "" });
    expect(await trespassesOf(copy, layer)).toEqual([]);
  });

  // All of them in one build, each with a leaf of its own to import: the compiler tells each of its errors by itself.
  it(`does not build with any form of import of ${other}, nor with a mere type of another`, async () => {
    const attempts = [
      ...Object.entries(forms).map(([form, write]) => ({ what: form, target: other, write })),
      ...others.slice(1).map((target) => ({ what: `a type of ${target}`, target, write: importType })),
    ];
    await usingFolder(layer, async (folder, plant) => {
      for (const [at, { target, write }] of attempts.entries()) {
        const leaf = `src/${target}/leaf-${at}.ts`;
        await writeFile(join(copy, leaf), "export const Planted = 1;\nexport type Planted = 1;\n");
        await plant(write(relative(folder, leaf)));
      }
      const { built, text } = await build(layer);
      for (const [at, { target }] of attempts.entries()) await rm(join(copy, `src/${target}/leaf-${at}.ts`));
      expect(built).toBe(false);
      const refused = attempts.filter((_, at) => strays(`${folder}/planted-${at}.ts`, `leaf-${at}.ts`).test(text));
      expect(refused.map(({ what }) => what)).toEqual(attempts.map(({ what }) => what));
    });
  });

  // The front door drags in everything there is, so one layer stands for the others at it.
  it("does not build with a reference to its own package", async () => {
    const doors = [`trilith/${other}`, "trilith/sqlite", ...(layer === "storage" ? ["trilith"] : [])];
    await usingFolder(layer, async (_, plant) => {
      const files = await Promise.all(doors.map((door) => plant(importType(door))));
      const { built, text } = await build(layer);
      expect(built).toBe(false);
      expect(doors.filter((_, at) => strays(files[at] as string, ".*").test(text))).toEqual(doors); // a file a door
    });
  });

  // The compiler takes a declaration file from anywhere, so this is what the second net is for.
  it(`is caught with any form of import of what was built of ${other}`, async () => {
    await usingFolder(layer, async (folder, plant) => {
      const from = `${relative(folder, join("dist", other))}/index.js`;
      const tried = ["import type", "export * from", "a dynamic import", "an import in a type"];
      const files = await Promise.all(tried.map((form) => plant(forms[form]?.(from) ?? "")));
      const trespasses = await trespassesOf(copy, layer);
      const told = (file: string) => `${file}:2 imports "${from}". ${layer} may import its own folder`;
      expect(trespasses.toSorted()).toEqual(files.map((file) => expect.stringContaining(told(file))));
    });
  });

  it("is caught with a reference to another project", async () => {
    const config = join(copy, "src", layer, "tsconfig.json");
    const text = await readFile(config, "utf8");
    const { references, ...rest } = JSON.parse(text);
    await writeFile(config, JSON.stringify({ ...rest, references: [...references, { path: `../${other}` }] }));
    expect(await trespassesOf(copy, layer)).toContainEqual(
      expect.stringContaining(`src/${layer}/tsconfig.json references ${other}.`),
    );
    await writeFile(config, text);
  });

  it("is not linted with what reaches the outside", async () => {
    const builtins = ["node:fs", "node:module", "node:net", "node:sqlite"];
    await usingFolder(layer, async (folder, plant) => {
      const files = await Promise.all(builtins.map((builtin) => plant(`import "${builtin}";`)));
      const { ok, text } = await run(biome, ["lint", "--vcs-enabled=false", "--colors=off", folder]);
      expect(ok).toBe(false);
      expect(builtins.filter((_, at) => text.includes(`${files[at]}:2:`))).toEqual(builtins);
      expect(text.match(/A layer reaches the outside through a port/g)?.length).toBeGreaterThanOrEqual(builtins.length);
    });
  });
});

it("nobody reaches further than he may, and an adapter that reaches what another one references is caught too", async () => {
  for (const project of await projectsOf(copy)) expect(await trespassesOf(copy, project)).toEqual([]);
  const from = await relativeTo("cli", "storage");
  await planted("cli", `export type * from "${from}";`, async ({ file }) => {
    expect(await trespassesOf(copy, "cli")).toEqual([expect.stringContaining(`${file}:2 imports "${from}".`)]);
  });
});

const tsc = join(root, "node_modules/typescript/lib/tsc.js");
const biome = join(root, "node_modules/.bin/biome");

/** Adds a file to a project for the time of some work. */
async function planted(
  project: string,
  source: string,
  work: (at: { readonly file: string; readonly line: number }) => Promise<void>,
): Promise<void> {
  const file = `src/${project}/planted.ts`;
  await writeFile(join(copy, file), `// planted by a test\n${source}\nexport {};\n`);
  try {
    await work({ file, line: 2 });
  } finally {
    await rm(join(copy, file));
  }
}

/** Gives a project one folder more for the time of some work; `plant` adds a file to it, and gives back its path. */
async function usingFolder(
  project: string,
  work: (folder: string, plant: (source: string) => Promise<string>) => Promise<void>,
): Promise<void> {
  const folder = `src/${project}/planted`;
  let count = 0;
  await mkdir(join(copy, folder));
  try {
    await work(folder, async (source) => {
      const file = `${folder}/planted-${count++}.ts`;
      await writeFile(join(copy, file), `// planted by a test\n${source}\nexport {};\n`);
      return file;
    });
  } finally {
    await rm(join(copy, folder), { recursive: true });
  }
}

/** TS6059 and TS6307: a source file that is none of this project's. A missing export, say, would prove nothing. */
function strays(file: string, target: string): RegExp {
  return new RegExp(`^${file}\\(2,\\d+\\): error TS(6059|6307): File '.*/src/.*${target}'`, "m");
}

async function build(project: string): Promise<{ readonly built: boolean; readonly text: string }> {
  const { ok, text } = await run(process.execPath, [tsc, "-b", "--pretty", "false", `src/${project}`]);
  return { built: ok, text };
}

/** How a file of one project would import the smallest file of another: it drags the fewest others into the build. */
async function relativeTo(project: string, target: string): Promise<string> {
  const files = await readdir(join(copy, "src", target), { recursive: true });
  const sources = files.filter((file) => file.endsWith(".ts"));
  const sizes = await Promise.all(sources.map(async (file) => (await stat(join(copy, "src", target, file))).size));
  const smallest = sources[sizes.indexOf(Math.min(...sizes))];
  if (!smallest) throw new Error(`src/${target} has no source file to import.`);
  return relative(join("src", project), join("src", target, smallest));
}

function run(command: string, args: readonly string[]): Promise<{ readonly ok: boolean; readonly text: string }> {
  return new Promise((done) => {
    execFile(command, args, { cwd: copy, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      done({ ok: error === null, text: stdout + stderr }),
    );
  });
}
