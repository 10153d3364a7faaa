import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { holdConversation } from "./conversation.ts";
import { blocksOf, fileOf } from "./markdown.ts";
import { freePort, startProgram } from "./program.ts";
import { openShell } from "./shell.ts";

// The package as somebody outside gets it: packed from a copy of the repository, installed into an empty folder.
const root = resolve(import.meta.dirname, "..");
const oldest = "22.18.0";
const page = (await blocksOf(join(root, "README.md"), "README.md")).filter(
  ({ heading }) => heading === "The smallest complete backend",
);
let folder: string;
let project: string;
let packed: string;
let size: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trilith-package-"));
  project = join(folder, "project");
  packed = join(project, "node_modules/trilith");
  const [tarball] = await Promise.all([pack(join(folder, "repository")), installNode(join(folder, "node"))]);
  size = tarball.size;

  // As the README says, but for where the package comes from.
  const [install] = page.map(({ text }) => text).filter((text) => text.startsWith("npm install"));
  expect(install).toBe("npm install trilith zod && npm pkg set type=module");
  await mkdir(project);
  await npm(project, "install", tarball.file, `zod@${await versionOf("zod")}`);
  await npm(project, "pkg", "set", "type=module");
  const backend = page.find((block) => fileOf(block) === "backend.ts");
  await writeFile(join(project, "backend.ts"), backend?.text ?? "");
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the packed package", () => {
  it("has what it promises, is small, and carries no tests, maps and build notes", async () => {
    const files = await filesOf(packed);
    expect(files).toEqual(
      expect.arrayContaining(["README.md", "CHANGELOG.md", "LICENSE", "dist/cli/main.js", "dist/console/index.html"]),
    );
    expect(files.filter((file) => /\.test|\.map$|tsbuildinfo|^src\/|^test\/|\/\.types\//.test(file))).toEqual([]);
    expect(size).toBeLessThan(1_500_000);
  });

  it("names no folder of the machine that it was built on, and no registry", async () => {
    const registry = new URL(await npm(root, "config", "get", "registry")).host;
    const telling = [root, folder, `${homedir()}/`, registry];
    for (const file of await filesOf(packed)) {
      const text = await readFile(join(packed, file), "utf8");
      expect(
        telling.filter((word) => text.includes(word)),
        file,
      ).toEqual([]);
    }
  });

  it("gives every door that its exports name, with its types", async () => {
    const { exports } = JSON.parse(await readFile(join(packed, "package.json"), "utf8")) as {
      readonly exports: { readonly [door: string]: { readonly types: string; readonly default: string } };
    };
    const { "./package.json": _itself, ...doors } = exports;
    expect(Object.keys(doors)).toEqual(expect.arrayContaining([".", "./contracts", "./testing"]));
    // Optional peers, which whoever opens those doors brings.
    const { peerDependencies } = JSON.parse(await readFile(join(packed, "package.json"), "utf8")) as {
      readonly peerDependencies: { readonly [name: string]: string };
    };
    const peers = await Promise.all(
      Object.keys(peerDependencies).map(async (name) => `${name}@${await versionOf(name)}`),
    );
    await npm(project, "install", ...peers);
    const names = Object.keys(doors).map((door) => `trilith${door.slice(1)}`);
    const imports = names.map((name) => `await import("${name}");`).join("\n");
    await writeFile(join(project, "doors.mjs"), imports);
    await promisify(execFile)(process.execPath, ["doors.mjs"], { cwd: project });
    await writeFile(join(project, "doors.ts"), names.map((name) => `import "${name}";`).join("\n"));
    await compile("doors.ts", "with Node's types");
  });

  it("compiles the README's backend in a project that knows nothing but it and Zod", async () => {
    await compile("backend.ts", "alone");
  });

  it("compiles it with every declaration checked, where Node's types are installed", async () => {
    await compile("backend.ts", "with Node's types");
  });
});

describe.each([
  [oldest, () => join(folder, "node/node_modules/node/bin")],
  [process.versions.node, () => dirname(process.execPath)],
])("under Node %s", (version, binaries) => {
  it("starts as the README says, answers as the README says, serves its pages, and stops when it is told to", async () => {
    const port = await freePort();
    const data = join(folder, `data-${version}`);
    const environment = { PATH: `${binaries()}:${process.env.PATH}`, PORT: port, TRILITH_DATA: data };
    const { stdout } = await promisify(execFile)("node", ["--version"], { env: { ...process.env, ...environment } });
    expect(stdout.trim()).toBe(`v${version}`);

    const command = "npx trilith start backend.ts";
    expect(page.map(({ text }) => text)).toContain(command);
    await using program = await startProgram(command, {
      folder: project,
      environment,
      until: /"pid":(\d+).*is up at (http:[^"\s]+)\./,
    });
    const [, pid, url] = program.ready;
    await using shell = await openShell(folder, port);
    await holdConversation(
      page.filter(({ text }) => !/^np[mx] /.test(text)),
      shell,
    );
    for (const path of ["/console", "/docs", "/openapi.json", "/readyz"]) {
      expect((await fetch(`${url}${path}`)).status, path).toBe(200);
    }
    process.kill(Number(pid), "SIGTERM"); // of Ctrl-C npx itself dies, whatever the exit code
    expect(await program.ended()).toBe(0);
    expect(program.text()).toMatch(/bank has stopped/);
  });
});

/** Builds and packs a copy, as the checkout may be in use. */
async function pack(copy: string): Promise<{ readonly file: string; readonly size: number }> {
  const kept = ["src", "console", "tsconfig.base.json", "package.json", "README.md", "CHANGELOG.md", "LICENSE"];
  await mkdir(copy);
  await Promise.all(kept.map((name) => cp(join(root, name), join(copy, name), { recursive: true })));
  await symlink(join(root, "node_modules"), join(copy, "node_modules"));
  await npm(copy, "run", "prepack"); // which npm would run as well, and after it "prepare", which is the same once more
  const [first] = JSON.parse(
    (await npm(copy, "pack", "--json", "--ignore-scripts")).replace(/^[^[]*/, ""),
  ) as readonly {
    readonly filename: string;
    readonly size: number;
  }[];
  return { file: join(copy, first?.filename ?? ""), size: first?.size ?? 0 };
}

// Not a development dependency: its `node` would compete with that of our own for a place in node_modules/.bin.
async function installNode(place: string): Promise<void> {
  await mkdir(place);
  await writeFile(join(place, "package.json"), '{ "private": true, "allowScripts": { "node": true } }');
  await npm(place, "install", `node@${oldest}`);
}

/** With Node's types, also the declarations of the package and of what it depends on are checked. */
async function compile(file: string, how: "alone" | "with Node's types"): Promise<void> {
  const types = join(project, "node_modules/@types");
  await rm(types, { recursive: true, force: true });
  if (how !== "alone") {
    await mkdir(types);
    for (const name of ["node", "pg"]) await symlink(join(root, "node_modules/@types", name), join(types, name));
  }
  const compilerOptions = {
    module: "nodenext",
    target: "es2024",
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: how === "alone",
    types: how === "alone" ? [] : ["node"],
  };
  await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [file] }));
  const tsc = join(root, "node_modules/typescript/lib/tsc.js");
  await promisify(execFile)(process.execPath, [tsc, "-p", project]).catch((error: { readonly stdout: string }) => {
    throw new Error(error.stdout);
  });
}

async function npm(cwd: string, ...args: readonly string[]): Promise<string> {
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
  const { NODE_ENV: _test, ...env } = process.env; // it would be built for development
  const { stdout } = await promisify(execFile)("npm", [...args, ...quiet], { cwd, env, maxBuffer: 2 ** 26 });
  return stdout.trim();
}

async function versionOf(name: string): Promise<string> {
  const text = await readFile(join(root, "node_modules", name, "package.json"), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

async function filesOf(place: string): Promise<readonly string[]> {
  const entries = await readdir(place, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(place.length + 1));
}
