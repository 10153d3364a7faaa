import { execFile } from "node:child_process";
import { access, chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { check, type Finding, isAdvice } from "../src/check/index.ts";
import { holdConversation } from "./conversation.ts";
import { type Block, blocksOf, fileOf } from "./markdown.ts";
import { freePort, type Program, startProgram, until } from "./program.ts";
import { openShell, type Shell } from "./shell.ts";

// Each guide gives the files of one backend in full and then talks to it. Here its files are written, checked and started.
const root = resolve(import.meta.dirname, "..");
const guides = (await readdir(join(root, "docs/guides"))).map((name) => `docs/guides/${name}`);
const pages = ["README.md", "examples/README.md", "docs/glossary.md", ...guides];
const blocks = new Map(
  await Promise.all(pages.map(async (page) => [page, await blocksOf(join(root, page), page)] as const)),
);
const filesOf = (page: string): readonly Block[] => (blocks.get(page) ?? []).filter((block) => block.language === "ts");
const withBackend = guides.filter((page) => filesOf(page).some((block) => fileOf(block) === "backend.ts"));
const inFolders = ["README.md", "docs/guides/getting-started.md", "docs/guides/check.md"];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "trilith-guides-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("TypeScript on a page", () => {
  it("is a file in full, says which one, and compiles", async () => {
    for (const [index, page] of pages.entries()) {
      for (const block of filesOf(page)) expect(fileOf(block), block.at).toBeDefined();
      await writeProject(page, join(folder, String(index)));
    }
    const compilerOptions = {
      noEmit: true,
      allowImportingTsExtensions: true,
      rewriteRelativeImportExtensions: false,
      noUnusedLocals: true,
      lib: ["es2024", "esnext.disposable", "dom"],
      typeRoots: [join(root, "node_modules/@types")],
    };
    const extended = join(root, "tsconfig.base.json");
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: extended, compilerOptions, include: ["*/**/*.ts"] }),
    );
    const tsc = join(root, "node_modules/typescript/lib/tsc.js");
    const { stdout } = await promisify(execFile)(process.execPath, [tsc, "-p", folder]).catch((error) => error);
    expect(stdout).toBe("");
    expect(withBackend.length).toBeGreaterThanOrEqual(5);
  });
});

describe("trilith check", () => {
  it.each(["README.md", ...withBackend])("breaks no rule on %s", async (page) => {
    await writeProject(page, folder);
    const { findings, notes } = await check(folder);
    expect(notes).toEqual([]);
    // A guide shows a whole example in one file, to be short; the projects that it teaches have their folders.
    const isShortened = ({ rule }: Finding): boolean => rule === "files/layer" && !inFolders.includes(page);
    expect(findings.filter((finding) => !isAdvice(finding.rule) && !isShortened(finding))).toEqual([]);
  });
});

describe.each(withBackend)("%s", (page) => {
  it("is answered as it says", { timeout: 120_000 }, async () => {
    await using ends = new AsyncDisposableStack();
    await writeProject(page, folder);
    const port = await freePort();
    const environment: NodeJS.ProcessEnv = { PORT: port, npm_config_loglevel: "error" };
    const bash = ends.use(await openShell(folder, port));
    const shell: Pick<Shell, "run"> = { run: (command) => bash.run(withoutNpx(command)) };
    let program: Program | undefined;
    const talk: Block[] = [];
    const finishTalk = (): Promise<void> => holdConversation(talk.splice(0), shell);

    for (const block of blocks.get(page) ?? []) {
      if (block.language !== "sh" || !/^(npm install|node|npx trilith start)\b/.test(block.text)) talk.push(block);
      else if (block.text === "node upstream.ts") {
        const own = await freePort();
        const command = `PORT=${own} "${process.execPath}" upstream.ts & echo started; wait`;
        ends.use(await startProgram(command, { folder, until: /started/ }));
        await until(() => fetch(`http://127.0.0.1:${own}`).then(Boolean, () => false), "The upstream is not there.");
        for (const name of ["GUIDE", "CENSUS"]) environment[`TRILITH_SOURCE_${name}_URL`] = `http://127.0.0.1:${own}`;
      } else if (block.text === "npx trilith start backend.ts") {
        await finishTalk();
        if (program) await program.ended(); // the guide has killed it
        program = ends.use(await startProgram(withoutNpx(block.text), { folder, environment, until: /is up at/ }));
      }
    }
    await finishTalk();
    expect(program).toBeDefined();
  });
});

describe("the tests on a page", () => {
  const withTests = guides.filter((page) => filesOf(page).some((block) => fileOf(block)?.endsWith(".test.ts")));
  // One of them crashes a run at each of its commits, on a file.
  it.each(withTests)("of %s pass", { timeout: 120_000 }, async (page) => {
    await writeProject(page, folder);
    const run = promisify(execFile)(process.execPath, ["--conditions=trilith-source", "--test"], { cwd: folder });
    const { stdout } = await run.catch((error) => error);
    expect(stdout).toMatch(/^# fail 0$|^ℹ fail 0$/m);
    expect(stdout).not.toMatch(/^(#|ℹ) pass 0$/m);
  });
});

describe("links", () => {
  it.each(pages)("of %s lead somewhere", async (page) => {
    const text = (await readFile(join(root, page), "utf8")).replaceAll(/^```[\s\S]*?^```$/gm, "");
    for (const [, target = ""] of text.matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
      if (!target.startsWith("https://")) await access(join(root, dirname(page), target));
    }
  });
});

/** As npx itself would find it, which takes as long as what it starts; the README is tried with it. */
const withoutNpx = (command: string): string => command.replaceAll(/\bnpx (?=trilith\b)/g, "node_modules/.bin/");

/** The files of a page as a project of its own, in which `npx trilith` is what is in the checkout. */
async function writeProject(page: string, place: string): Promise<void> {
  const bin = join(place, "node_modules/.bin");
  await mkdir(bin, { recursive: true });
  await mkdir(join(place, "node_modules/@valibot"));
  for (const name of ["zod", "valibot", "@valibot/to-json-schema", "@types"])
    await symlink(join(root, "node_modules", name), join(place, "node_modules", name));
  await symlink(root, join(place, "node_modules/trilith"));
  const main = join(root, "src/cli/main.ts");
  await writeFile(
    join(bin, "trilith"),
    `#!/bin/sh\nexec "${process.execPath}" --conditions=trilith-source "${main}" "$@"\n`,
  );
  await chmod(join(bin, "trilith"), 0o755);
  await writeFile(join(place, "package.json"), '{ "private": true, "type": "module" }');
  for (const block of filesOf(page)) {
    const file = join(place, fileOf(block) ?? "");
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, block.text);
  }
}
