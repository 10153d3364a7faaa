import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeKeys, toEnvironment } from "../examples/trips/run/environment.ts";
import { launchUpstreams } from "../examples/trips/upstreams/launch.ts";
import { wellBehaved } from "../examples/trips/upstreams/settings.ts";
import { holdConversation } from "./conversation.ts";
import { type Block, blocksOf, fileOf, tableUnder } from "./markdown.ts";
import { freePort, type Program, startProgram, until } from "./program.ts";
import { openShell } from "./shell.ts";

// The README's commands are run as they stand, in a folder that has what the repository has, so that nothing is left in it.
const root = resolve(import.meta.dirname, "..");
const readme = join(root, "README.md");
const blocks = await blocksOf(readme, "README.md");
const under = (...headings: readonly string[]): readonly Block[] =>
  blocks.filter(({ heading }) => headings.includes(heading));
const isTyped = ({ language, text }: Block): boolean => language !== "sh" || !/^(npm|npx) /.test(text);

const upAt = /is up at http:\/\/127\.0\.0\.1:(\d+)/;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "trilith-readme-"));
});
afterEach(() => rm(folder, { recursive: true }));

const startBackend = (file: string, environment: NodeJS.ProcessEnv): Promise<Program> =>
  startProgram(`"${process.execPath}" --conditions=trilith-source "${root}/src/cli/main.ts" start "${file}"`, {
    folder,
    environment,
    until: upAt,
  });

describe("the smallest complete backend", () => {
  it("answers as the README says", async () => {
    const page = under("The smallest complete backend");
    const file = page.find((block) => fileOf(block) === "backend.ts");
    expect(page.map(({ text }) => text)).toContain("npx trilith start backend.ts");
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    await writeFile(join(folder, "backend.ts"), file?.text ?? "");
    await mkdir(join(folder, "node_modules"));
    await symlink(root, join(folder, "node_modules/trilith"));
    await symlink(join(root, "node_modules/zod"), join(folder, "node_modules/zod"));

    await using program = await startBackend("backend.ts", { PORT: "0" });
    await using shell = await openShell(folder, program.ready[1] ?? "");
    await holdConversation(page.filter(isTyped), shell);
    expect(await program.interrupt()).toBe(0);
  });
});

describe("the example", () => {
  // The example as npm start runs it, but for its traffic, its feeds and its upstreams' tempers: so the log moves for our
  // commands only.
  const quietExample = async () => {
    const ends = new AsyncDisposableStack();
    const data = join(folder, ".data/trips");
    await mkdir(data, { recursive: true });
    const upstreams = ends.use(await launchUpstreams({ data, quiet: true, behaviour: { all: wellBehaved } }));
    await makeKeys(data);
    const port = await freePort(4400);
    const own = { PORT: port, TRILITH_LOG: "info", TRIPS_REPORTS_URL: "" };
    const environment = { ...toEnvironment(upstreams.urls, data), ...own };
    ends.use(await startBackend(join(root, "examples/trips/backend.ts"), environment));
    const url = `http://127.0.0.1:${port}`;
    await until(async () => (await fetch(`${url}/airports/ABQ`)).ok, "The airport's page was not answered.");
    const shell = ends.use(await openShell(folder, port));
    const read = async (): Promise<string> => {
      const health = (await (await fetch(`${url}/readyz`)).json()) as { parts: { log: { detail: string } } };
      return /"main" is at position \d+/.exec(health.parts.log.detail)?.[0] ?? health.parts.log.detail;
    };
    /** Once the lives of bookings have heard of what was booked, nothing moves any more. */
    const head = async (): Promise<string> => {
      for (let before = await read(); ; ) {
        await pause(500);
        const now = await read();
        if (now === before) return now;
        before = now;
      }
    };
    return { shell, head, [Symbol.asyncDispose]: () => ends.disposeAsync() };
  };

  it("books a trip once, reads it back and fuses an airport's page, as the README says", async () => {
    await using example = await quietExample();
    const page = under("Try the example");
    const empty = await example.head();
    await holdConversation(page, example.shell);
    const booked = await example.head();
    expect(booked).not.toBe(empty);
    await holdConversation(page, example.shell);
    expect(await example.head()).toBe(booked);
  });

  it("refuses bad input with a problem document each, and stores nothing of it", async () => {
    await using example = await quietExample();
    const [setup] = under("Try the example");
    await example.shell.run(setup?.text ?? "");
    const heading = "What is wrong with a request is said";
    const commands = under(heading).flatMap(({ text }) => text.split("\n"));
    const rows = await tableUnder(readme, heading);
    expect(rows.map(([what]) => what)).toEqual([
      "an unknown field",
      "a wrong type",
      "no body",
      "broken JSON",
      "a body of 10 MB",
      "an unknown address",
      "a wrong method",
      "no key",
    ]);
    expect(commands).toHaveLength(rows.length);

    const before = await example.head();
    for (const [index, [what, status, code, detail]] of rows.entries()) {
      const { text, answers } = await example.shell.run(commands[index] ?? "");
      expect(answers, what).toEqual([{ status: Number(status), type: "application/problem+json; charset=utf-8" }]);
      expect(JSON.parse(text), what).toMatchObject({
        type: `urn:trilith:fault:${code}`,
        status: Number(status),
        code,
        detail,
        trace: expect.stringMatching(/^[0-9a-f]{32}$/),
      });
    }
    expect(await example.head()).toBe(before);
  });
});

describe("the repository's commands", () => {
  const commands = under("This repository")
    .flatMap(({ text }) => text.split("\n"))
    .map((line) => line.replace("npm ci && ", ""));
  const likeTheRepository = (): Promise<unknown> =>
    Promise.all(
      ["package.json", "node_modules", "src", "examples", "dist"].map((name) =>
        symlink(join(root, name), join(folder, name)),
      ),
    );

  it("start and check a backend of one's own in the clone", async () => {
    const own = under("A backend of your own, in the clone").flatMap(({ text }) => text.split("\n"));
    expect(own).toEqual(["npm run trilith -- start mine/backend.ts", "npm run trilith -- check mine"]);
    await likeTheRepository();
    const page = under("The smallest complete backend");
    await mkdir(join(folder, "mine"));
    await writeFile(join(folder, "mine/backend.ts"), page.find((block) => fileOf(block) === "backend.ts")?.text ?? "");
    const [start = "", check = ""] = own;
    await using program = await startProgram(start, { folder, environment: { PORT: "0" }, until: upAt });
    await using shell = await openShell(folder, program.ready[1] ?? "");
    await holdConversation(page.filter(isTyped), shell);
    await program.interrupt(); // npm itself dies of it, whatever its script's exit code
    await until(program.isGone, "Ctrl-C left processes behind.");
    const { stdout } = await promisify(execFile)("bash", ["-c", check], { cwd: folder });
    expect(stdout).toMatch(/1 file in .*, and nothing breaks a rule/);
  });

  it("npm start is alive at the addresses that it prints, and ends with Ctrl-C", async () => {
    expect(commands).toEqual(["npm start", "npm test"]);
    await likeTheRepository();
    const port = await freePort(4400);
    await using program = await startProgram("npm start", {
      folder,
      environment: { PORT: port },
      until: /console +(http:\S+)\n +API docs +(http:\S+)\n[\s\S]*ticketed/,
    });
    console.info(`npm start is alive after ${Math.round(program.afterMs)} ms`);
    for (const address of program.ready.slice(1)) expect((await fetch(address)).status, address).toBe(200);
    await using shell = await openShell(folder, port);
    await holdConversation(under("Try the example").slice(0, 3), shell);
    await program.interrupt(); // npm itself dies of it, whatever its script's exit code
    await until(program.isGone, "Ctrl-C left processes behind.");
    expect(program.text()).toMatch(/stopping/);
  });

  it("npm start -- --once books a trip, fetches a page while a registry is down, and leaves nothing behind", async () => {
    const command = "npm start -- --once";
    expect(await readFile(readme, "utf8")).toContain(`\`${command}\``);
    await likeTheRepository();
    const { stdout } = await promisify(execFile)("bash", ["-c", command], { cwd: folder });
    expect(stdout).toMatch(/ticket T-[0-9A-F]{8}/);
    expect(stdout).toMatch(/✗ .* payments\.charge/);
    expect(stdout).toMatch(/✗ .* ourairports/);
    await expect(access(join(folder, ".data"))).rejects.toThrow("ENOENT");
  });
});
