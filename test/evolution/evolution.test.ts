import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  type AnyContract,
  type AnySchema,
  eventsOf,
  operationsOf,
  toJsonSchema,
  toProjection,
  validate,
} from "trilith/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contractsCommand } from "../../src/cli/contracts-command.ts";
import type { Finding, Verdict } from "../../src/evolution/index.ts";
import { type Case, catalogue } from "./catalogue.ts";

const root = join(import.meta.dirname, "../..");
const cataloguePath = join(import.meta.dirname, "catalogue.ts");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trilith-evolution-"));
  await mkdir(join(folder, "node_modules"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the command in this process, on files as a user has them. */
async function command(
  ...args: string[]
): Promise<{ readonly code: number; readonly said: string; readonly complained: string }> {
  const [said, complained]: [string[], string[]] = [[], []];
  const code = await contractsCommand(args, {
    say: (text) => said.push(text),
    complain: (text) => complained.push(text),
  });
  return { code, said: said.join("\n"), complained: complained.join("\n") };
}

/** A file that exports one contract of the catalogue. */
async function fileOf(index: number, which: "before" | "after" | "unannounced"): Promise<string> {
  // Below a node_modules, where Node itself loads it: a thousand files need not go through the bundler.
  const file = join(folder, "node_modules", `${which}-${index}.mjs`);
  await writeFile(
    file,
    `import { catalogue } from ${JSON.stringify(cataloguePath)};\nexport const it = catalogue[${index}]?.${which};\n`,
  );
  return file;
}

const groups = Map.groupBy(catalogue.entries(), ([, { group }]) => group);

describe("the catalogue of changes", () => {
  it("is large, and knows every rule about contracts", () => {
    expect(catalogue.length).toBeGreaterThanOrEqual(120);
    expect(new Set(catalogue.map(({ group, name }) => `${group} ${name}`)).size).toBe(catalogue.length);
  });
});

for (const [group, cases] of groups)
  describe(`a change of ${group}`, () => {
    it.each(cases.map(([index, one]) => [`${one.name}: ${one.level}`, index, one] as const))(
      "%s",
      async (_, index, one) => {
        const lock = join(folder, `${index}.lock.json`);
        const [before, after, unannounced] = await Promise.all([
          fileOf(index, "before"),
          fileOf(index, "after"),
          fileOf(index, "unannounced"),
        ]);
        const first = await command("publish", "--contracts", before, "--lock", lock);
        expect([first.code, first.said]).toEqual([0, expect.stringContaining("published  seats 1.0.0")]);

        const announced = await command("diff", "--contracts", after, "--lock", lock, "--json");
        const [verdict] = (JSON.parse(announced.said) as { verdicts: [Verdict] }).verdicts;
        expect([verdict.change, verdict.findings.map(({ rule }) => rule).sort()]).toEqual([
          one.level,
          [...one.rules].sort(),
        ]);
        expect([announced.code, verdict.missing.length > 0]).toEqual(one.hopeless ? [1, true] : [0, false]);
        for (const finding of verdict.findings) await checkCounterexample(one, finding);

        const silent = await command("diff", "--contracts", unannounced, "--lock", lock);
        expect(silent.code).toBe(one.level === "none" ? 0 : 1);
        if (one.level !== "none")
          expect(silent.said).toContain(`is published and has changed (${one.level}). Give it version`);
        // What may not be published is not: the lock is as it was.
        const text = await readFile(lock, "utf8");
        const refused = await command("publish", "--contracts", unannounced, "--lock", lock);
        expect([refused.code, (await readFile(lock, "utf8")) === text]).toEqual([one.level === "none" ? 0 : 1, true]);
        const published = await command("publish", "--contracts", after, "--lock", lock);
        expect(published.code).toBe(one.hopeless ? 1 : 0);
      },
    );
  });

/** Looks at a counterexample with the schema library itself and the gateway's own projection: neither made the verdict. */
async function checkCounterexample(
  { before, after }: Case,
  { rule, subject, counterexample, level, sentence }: Finding,
): Promise<void> {
  if (level !== "major" || rule.endsWith(".cannot-tell")) return;
  if (rule === "access.demanded") expect(sentence).not.toContain("undefined");
  const [part = ""] = rule.split(".");
  const look = {
    input: [before, after],
    output: [after, before],
    failure: [after, before],
    signal: [before, after],
    progress: [after, before],
    "stored-event": [before, after],
    "new-event": [after, before],
  }[part];
  // Rules about something as a whole, such as a signal that is gone, have no value that two schemas could judge.
  if (!look || wholes.has(rule)) return;
  expect(counterexample, `${rule} has a counterexample`).toBeDefined();
  const [writer, reader] = look.map((contract) => schemaOf(contract, subject, part)) as [AnySchema, AnySchema];
  const value = counterexample?.value;
  const written = await takes(writer, value, true);
  expect(written, `${sentence} is written: ${JSON.stringify(value)}`).toBe(true);
  expect(
    await takes(reader, value, part === "input" || part === "signal"),
    `${sentence} is refused: ${JSON.stringify(value)}`,
  ).toBe(false);
}

const wholes: ReadonlySet<string> = new Set([
  "failure.added",
  "failure.status",
  "failure.details-removed",
  "signal.removed",
  "signal.closed",
  "progress.removed",
]);

async function takes(schema: AnySchema, value: unknown, closed: boolean): Promise<boolean> {
  const isNothing = schema["~standard"].vendor === "trilith";
  if (isNothing) return value === undefined;
  const { findUndeclared } = toProjection(toJsonSchema(schema))(value);
  return (await validate(schema, value)).ok && !(closed && findUndeclared().length > 0);
}

/** Every case has one operation, with one failure and one signal at most. */
function schemaOf(contract: AnyContract, subject: string, part: string): AnySchema | undefined {
  const operation = operationsOf(contract).find(({ id }) => id === subject);
  const event = eventsOf(contract).get(subject.split(".")[1] ?? "");
  const run = operation?.kind === "command" ? operation : undefined;
  if (part === "input") return operation?.input;
  if (part === "output") return operation?.output;
  if (part === "failure") return Object.values(operation?.failures ?? {})[0]?.details;
  if (part === "signal") return Object.values(run?.signals ?? {})[0]?.schema;
  if (part === "progress") return run?.progress;
  // Of an event with a history the oldest shape: what the first version stored, and what reads it now.
  return event?.from[0]?.schema ?? event?.schema;
}

describe("trilith contracts, as a process", () => {
  const run = async (...args: string[]) => {
    const program = [join(root, "src/cli/main.ts"), "contracts", ...args];
    const options = { cwd: folder, env: { ...process.env, NODE_NO_WARNINGS: "1" } };
    return promisify(execFile)(process.execPath, ["--conditions=trilith-source", ...program], options).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
  };
  const find = (name: string): number => catalogue.findIndex((one) => one.name === name);

  it("publishes, judges, and says what breaks with a value that shows it", { timeout: 120_000 }, async () => {
    const index = find("a value of an enum goes");
    const lock = join(folder, "process.lock.json");
    expect((await run("publish", "--contracts", await fileOf(index, "before"), "--lock", lock)).code).toBe(0);
    const judged = await run("diff", "--contracts", await fileOf(index, "unannounced"), "--lock", lock);
    expect(judged.code).toBe(1);
    expect(judged.stdout).toContain("✗ seats 1.0.0: major");
    expect(judged.stdout).toContain("major input.value");
    expect(judged.stdout).toContain('e.g. {"seat":"b"}');
    expect(judged.stdout).toContain('! "seats" 1.0.0 is published and has changed (major). Give it version 2.0.0');
    expect((await run("diff", "--contracts", await fileOf(index, "after"), "--lock", lock)).code).toBe(0);
  });

  it("names the entry of a lock file that was edited", { timeout: 120_000 }, async () => {
    const index = find("nothing changes");
    const lock = join(folder, "edited.lock.json");
    await run("publish", "--contracts", await fileOf(index, "before"), "--lock", lock);
    await writeFile(lock, (await readFile(lock, "utf8")).replace('"type": "string"', '"type": "number"'));
    const judged = await run("diff", "--contracts", await fileOf(index, "before"), "--lock", lock);
    expect([judged.code, judged.stderr]).toEqual([
      1,
      expect.stringMatching(/was changed by hand: "seats" 1\.0\.0 does not match its hash/),
    ]);
  });

  it("ends with 2 for what it does not understand, and says what it would", { timeout: 120_000 }, async () => {
    for (const args of [["dif"], ["diff", "--loc", "x"], ["deployable"], ["diff", "no-such-backend.ts"]]) {
      const { code, stderr } = await run(...args);
      expect([args, code, stderr.length > 20]).toEqual([args, 2, true]);
    }
    const { stderr } = await run("deployable", "--against", "contracts.lock.json");
    expect(stderr).toContain("trilith contracts deployable backend.ts, or --contracts contracts.ts");
  });
});

describe("trilith contracts deployable", () => {
  it("judges the contracts of a file, too", async () => {
    const lock = join(folder, "deployable.lock.json");
    const index = catalogue.findIndex(({ name }) => name === "a value of an enum goes");
    const [before, after] = [await fileOf(index, "before"), await fileOf(index, "after")];
    await command("publish", "--contracts", before, "--lock", lock);
    expect(await command("deployable", "--contracts", before, "--against", lock)).toMatchObject({ code: 0 });
    expect(await command("deployable", "--contracts", after, "--against", lock)).toMatchObject({
      code: 1,
      said: expect.stringContaining("input.value"),
    });
  });
});

describe("trilith contracts publish", () => {
  it("keeps every version, and says that everything is published when it is", async () => {
    const lock = join(folder, "kept.lock.json");
    const index = catalogue.findIndex(({ name }) => name === "an optional field is added");
    await command("publish", "--contracts", await fileOf(index, "before"), "--lock", lock);
    await command("publish", "--contracts", await fileOf(index, "after"), "--lock", lock);
    const { contracts } = JSON.parse(await readFile(lock, "utf8"));
    expect(Object.keys(contracts.seats.versions)).toEqual(["1.0.0", "1.1.0"]);
    const text = await readFile(lock, "utf8");
    expect((await command("publish", "--contracts", await fileOf(index, "after"), "--lock", lock)).said).toBe(
      "Everything is published already.",
    );
    expect(await readFile(lock, "utf8")).toBe(text);
  });

  it("asks for a retirement before a contract may go", async () => {
    const lock = join(folder, "retired.lock.json");
    const other = join(folder, "other.ts");
    await writeFile(
      other,
      'import { contract } from "trilith/contracts";\nexport const Other = contract("other", "1.0.0", {});\n'.replace(
        "trilith/contracts",
        join(root, "src/contracts/index.ts"),
      ),
    );
    await command("publish", "--contracts", await fileOf(0, "before"), "--lock", lock);
    const gone = await command("diff", "--contracts", other, "--lock", lock);
    expect([gone.code, gone.said]).toEqual([1, expect.stringContaining("trilith contracts publish --retire seats")]);
    expect((await command("publish", "--contracts", other, "--lock", lock, "--retire", "seats")).code).toBe(0);
    expect((await command("diff", "--contracts", other, "--lock", lock)).code).toBe(0);
    expect((await command("publish", "--contracts", other, "--lock", lock, "--retire", "nobody")).code).toBe(2);
  });

  it("keeps its word to callers of every minor version, and not of the latest alone", async () => {
    const lock = join(folder, "older.lock.json");
    const make = async (version: string, output: string): Promise<string> => {
      const file = join(folder, `older-${version}.ts`);
      await writeFile(
        file,
        `import { contract, query } from ${JSON.stringify(join(root, "src/contracts/index.ts"))};\nimport { z } from ${JSON.stringify(join(root, "node_modules/zod/index.js"))};\nexport const A = contract("a", "${version}", { get: query({ input: z.object({}), output: z.object({ ${output} }) }) });\n`,
      );
      return file;
    };
    for (const [version, output] of [
      ["1.0.0", "b: z.string().optional()"],
      ["1.1.0", ""],
    ] as const)
      expect((await command("publish", "--contracts", await make(version, output), "--lock", lock)).code).toBe(0);
    const judged = await command("diff", "--contracts", await make("1.2.0", "b: z.int().optional()"), "--lock", lock);
    expect([judged.code, judged.said]).toEqual([1, expect.stringContaining("to a caller of a 1.0.0")]);
    expect(
      (await command("diff", "--contracts", await make("1.3.0", "b: z.string().optional()"), "--lock", lock)).code,
    ).toBe(0);
  });

  it("wants a note where a major version begins", async () => {
    const lock = join(folder, "note.lock.json");
    const make = (version: string, fields: string) =>
      `import { command, contract } from ${JSON.stringify(join(root, "src/contracts/index.ts"))};\nimport { z } from ${JSON.stringify(join(root, "node_modules/zod/index.js"))};\nexport const A = contract("a", ${version}, { go: command({ input: z.object({ ${fields} }) }) });\n`;
    const [one, two] = [join(folder, "note-1.ts"), join(folder, "note-2.ts")];
    await writeFile(one, make('"1.0.0"', ""));
    await writeFile(two, make('"2.0.0"', "a: z.string()"));
    await command("publish", "--contracts", one, "--lock", lock);
    expect((await command("diff", "--contracts", two, "--lock", lock)).said).toContain(
      '"a" 2.0.0 has no migration note.',
    );
    // With the version that is asked for, and not once it is there.
    const unannounced = join(folder, "note-3.ts");
    await writeFile(unannounced, make('"1.0.0"', "a: z.string()"));
    const { said } = await command("diff", "--contracts", unannounced, "--lock", lock);
    expect(said).toContain("Give it version 2.0.0;");
    expect(said).toContain('"a" 2.0.0 has no migration note.');
  });

  it("is not told of no change where an upcaster fails, and needs nothing published for that", async () => {
    const lock = join(folder, "fails.lock.json");
    const make = (give: string) =>
      `import { contract, event, upcast } from ${JSON.stringify(join(root, "src/contracts/index.ts"))};\nimport { z } from ${JSON.stringify(join(root, "node_modules/zod/index.js"))};\nconst Now = z.object({ by: z.enum(["cash"]) });\nexport const A = contract("a", "1.0.0", { Paid: event(Now, { version: 2, from: [upcast(z.object({}), () => ({ by: "${give}" }))] }) });\n`;
    const [right, wrong] = [join(folder, "fails-1.ts"), join(folder, "fails-2.ts")];
    await writeFile(right, make("cash"));
    await writeFile(wrong, make("card"));
    expect((await command("diff", "--contracts", wrong, "--lock", lock)).said).toContain(
      "✗ a 1.0.0: minor, and to be mended",
    );
    await command("publish", "--contracts", right, "--lock", lock);
    expect((await command("diff", "--contracts", right, "--lock", lock)).said).toContain("✓ a 1.0.0: no change");
    const { code, said } = await command("diff", "--contracts", wrong, "--lock", lock);
    expect([code, said]).toEqual([1, expect.stringContaining("✗ a 1.0.0: to be mended")]);
  });

  it("keeps a way down to itself: it may come to what is published, and its lock stays as it is", async () => {
    const lock = join(folder, "down.lock.json");
    const make = (down: string) =>
      `import { contract, event, upcast } from ${JSON.stringify(join(root, "src/contracts/index.ts"))};\nimport { z } from ${JSON.stringify(join(root, "node_modules/zod/index.js"))};\nexport const A = contract("a", "1.0.0", { Paid: event(z.object({ n: z.int() }), { version: 2, from: [upcast(z.object({}), () => ({ n: 1 })${down})] }) });\n`;
    const [up, down] = [join(folder, "down-1.ts"), join(folder, "down-2.ts")];
    await writeFile(up, make(""));
    await writeFile(down, make(", () => ({})"));
    await command("publish", "--contracts", up, "--lock", lock);
    expect(await command("diff", "--contracts", down, "--lock", lock)).toMatchObject({ code: 0 });
    expect((await command("publish", "--contracts", down, "--lock", lock)).said).toContain("published already");
  });
});
