import { execFile } from "node:child_process";
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { baselineFile, check, ruleIds } from "../src/check/index.ts";
import { clean, edited, type Files, projectWith, workflowWith } from "./check-project.ts";
import { sarifSchema } from "./sarif-schema.ts";

const root = resolve(import.meta.dirname, "..");
const flow = "orchestration/book-trip.ts";
const late = workflowWith("  if (Date.now() > 5) return trip.flight;");
const drawn = workflowWith("  if (Math.random() > 0.5) return trip.flight;\n  if (Date.now() > 5) return trip.flight;");

interface Finding {
  readonly rule: string;
  readonly file: string;
  readonly message: string;
}
interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** `trilith check` as a process of its own. */
function trilithCheck(folder: string, ...args: readonly string[]): Promise<Ended> {
  return trilith(folder, [], "check", ...args);
}

function trilith(folder: string, before: readonly string[], ...args: readonly string[]): Promise<Ended> {
  const conditions = ["--conditions=trilith-source", "--disable-warning=ExperimentalWarning"];
  const flags = [...conditions, ...before, join(root, "src/cli/main.ts")];
  const options = { cwd: folder, env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined }, maxBuffer: 2 ** 26 };
  return new Promise((done) => {
    execFile(process.execPath, [...flags, ...args], options, (error, out, err) =>
      done({ code: error ? Number(error.code) : 0, out, err }),
    );
  });
}

async function inProject(files: Files, work: (folder: string) => Promise<void>): Promise<void> {
  await using project = await projectWith(files);
  await work(project.folder);
}

describe("trilith check", () => {
  it("ends with 0 where nothing breaks a rule, also on Trilith itself and on its example", async () => {
    await inProject({}, async (folder) => {
      const { code, out, err } = await trilithCheck(folder);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toMatch(/^5 files in \d+\.\d s, and nothing breaks a rule\.\n$/);
    });
    for (const folder of [root, join(root, "examples/trips")]) {
      const { code, out } = await trilithCheck(folder);
      expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/files in .* and nothing breaks a rule/) });
    }
  });

  it("shows the line that offends, what is wrong with it, and the way out, and ends with 1", async () => {
    await inProject({ [flow]: late }, async (folder) => {
      const { code, out } = await trilithCheck(folder, "--no-load");
      expect(code).toBe(1);
      expect(out).toContain(`orchestration/book-trip.ts:7:7  pure/clock
  Date.now is used inside a workflow.
    6 │   await bookings.hold(trip);
  > 7 │   if (Date.now() > 5) return trip.flight;
      │       ^^^^^^^^
    8 │   return run.uuid();
  Way out: In a workflow ask \`run.now()\`.`);
      expect(out).toMatch(/5 files in .*: 1 finding\. More about a rule: trilith check --explain pure\/clock\n$/);
    });
  });

  it("advises what a contract says of itself, and fails without it only where it is strict", async () => {
    const silent = edited(clean["contracts.ts"], [
      '{ version: "1.0.0", owner: "trips", summary: "Seats." }',
      '"1.0.0"',
    ]);
    await inProject({ "contracts.ts": silent }, async (folder) => {
      const mild = await trilithCheck(folder);
      expect(mild.code).toBe(0);
      expect(mild.out).toContain('contracts.ts:7  contracts/owner  The contract "bookings" has no owner.');
      expect(mild.out).toMatch(/5 files in .*, and nothing breaks a rule \(2 advised\)\.\n$/);
      const { ok, findings } = JSON.parse((await trilithCheck(folder, "--json")).out);
      expect(ok).toBe(true);
      expect(findings).toMatchObject([
        { rule: "contracts/owner", level: "advice" },
        { rule: "contracts/summary", level: "advice" },
      ]);
      const strict = await trilithCheck(folder, "--strict");
      expect(strict.code).toBe(1);
      expect(strict.out).toContain("2 findings.");
      await writeFile(join(folder, "trilith.check.json"), '{ "strict": true }');
      expect(await trilithCheck(folder)).toMatchObject({ code: 1 });
      await writeFile(join(folder, "trilith.check.json"), '{ "strict": "yes" }');
      expect(await trilithCheck(folder)).toMatchObject({
        code: 2,
        err: expect.stringContaining("/strict must be true or false."),
      });
    });
  });

  it("does not run the project's code where it is told not to, and says what it left out", async () => {
    await inProject({ "backend.ts": 'throw new Error("It was run.");\n' }, async (folder) => {
      const { code, out } = await trilithCheck(folder, "--no-load");
      expect(code).toBe(0);
      expect(out).toContain(
        "Note: Nothing was loaded, so contracts, operations and personal fields were not looked at.",
      );
      expect((await trilithCheck(folder)).out).toContain("backend.ts cannot be loaded: It was run.");
    });
  });

  it("explains every rule, with the reason, the way out and an example", async () => {
    const { out } = await trilithCheck(root, "--explain", "layers/import");
    expect(out).toMatch(/^layers\/import\nA layer imports contracts and its own folder/);
    for (const part of ["Why", "Way out", "Not so", "But so"]) expect(out).toContain(`\n\n${part}\n`);
    const listed = await trilithCheck(root, "--rules");
    for (const id of ruleIds) expect(listed.out).toContain(`${id} `);
    const unknown = await trilithCheck(root, "--explain", "layers/imports");
    expect(unknown).toMatchObject({
      code: 2,
      err: "There is no rule layers/imports. trilith check --rules lists them.\n",
    });
  });

  it("gives JSON that a program can act on, and keeps what the project prints out of it", async () => {
    const files = { [flow]: late, "backend.ts": `console.log("loaded");\n${clean["backend.ts"]}` };
    await inProject(files, async (folder) => {
      const { code, out } = await trilithCheck(folder, "--json");
      expect(code).toBe(1);
      expect(JSON.parse(out)).toMatchObject({
        version: 1,
        ok: false,
        files: 5,
        findings: [
          {
            rule: "pure/clock",
            file: flow,
            line: 7,
            column: 7,
            endLine: 7,
            endColumn: 15,
            message: "Date.now is used inside a workflow.",
          },
        ],
        notes: [],
      });
    });
  });

  it("gives SARIF in which what is allowed or known is suppressed", async () => {
    const allowed = `${drawn}// the end\n`.replace(
      "  if (Math",
      "  // trilith-allow pure/random: it is a test\n  if (Math",
    );
    await inProject({ [flow]: allowed }, async (folder) => {
      const { out } = await trilithCheck(folder, "--sarif");
      const sarif = JSON.parse(out);
      const validator = new Ajv({ strict: false, validateFormats: false });
      const isValid = validator.validate(sarifSchema, sarif);
      expect(validator.errors ?? []).toEqual([]);
      expect(isValid).toBe(true);
      const [{ results, tool }] = sarif.runs;
      expect(tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(ruleIds);
      expect(results).toMatchObject([
        {
          ruleId: "pure/clock",
          ruleIndex: ruleIds.indexOf("pure/clock"),
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: flow, uriBaseId: "PROJECT" },
                region: { startLine: 9, startColumn: 7 },
              },
            },
          ],
        },
        { ruleId: "pure/random", suppressions: [{ kind: "inSource", justification: "it is a test" }] },
      ]);
      await trilithCheck(folder, "--update-baseline");
      const again = JSON.parse((await trilithCheck(folder, "--sarif", "--baseline")).out);
      expect(again.runs[0].results[0].suppressions).toMatchObject([{ kind: "external" }]);
    });
  });

  it("ends with 2, and says why, where it cannot check", async () => {
    await inProject(
      {
        "trilith.check.json":
          '{ "layer": {}, "off": { "pure/clock": "" }, "layers": { "ops": { "imports": ["storrage"], "may": ["fly"] } } }',
      },
      async (folder) => {
        const { code, err } = await trilithCheck(folder);
        expect(code).toBe(2);
        expect(err).toContain(
          "trilith.check.json cannot be used.\n  /layer is no key that is known; there is $schema, layers, ignore",
        );
        expect(err).toContain("/off/pure~1clock must give the reason, in words.");
        expect(err).toContain("/layers/ops/imports/0 is no layer that is known; there is contracts, orchestration");
        expect(err).toContain("/layers/ops/may/0 is no capability that is known; there is network, drivers.");
      },
    );
    await inProject({ "trilith.check.json": "{" }, async (folder) => {
      expect(await trilithCheck(folder)).toMatchObject({ code: 2, err: expect.stringContaining("is not JSON") });
    });
    const twice = { "trilith.check.json": "{}", "package.json": '{ "type": "module", "trilith": { "check": {} } }' };
    await inProject(twice, async (folder) => {
      expect((await trilithCheck(folder)).err).toContain("The check is configured twice");
    });
    expect(await trilithCheck(root, "--jason")).toMatchObject({ code: 2, err: expect.stringContaining("Usage:") });
    expect(await trilithCheck(root, "nowhere")).toMatchObject({
      code: 2,
      err: expect.stringContaining("There is no folder"),
    });
  });

  it("takes its configuration from package.json as well, or from a file that is named", async () => {
    const files = {
      "utils.ts": "export {};\n",
      "package.json":
        '{ "type": "module", "trilith": { "check": { "layers": { "kit": { "files": ["utils.ts"] } } } } }',
      "other.json": "{}",
    };
    await inProject(files, async (folder) => {
      expect((await trilithCheck(folder, "--no-load")).code).toBe(0);
      const other = await trilithCheck(folder, "--no-load", "--config", "other.json");
      expect(other).toMatchObject({ code: 1, out: expect.stringContaining("utils.ts belongs to no layer.") });
    });
  });
});

describe("a baseline", () => {
  it("lets pass what was there, and fails what is new", async () => {
    await inProject({ [flow]: late }, async (folder) => {
      expect(await trilithCheck(folder, "--no-load", "--baseline")).toMatchObject({
        code: 2,
        err: expect.stringContaining("Make it with"),
      });
      expect((await trilithCheck(folder, "--no-load", "--update-baseline")).code).toBe(0);
      const known = await trilithCheck(folder, "--no-load", "--baseline");
      expect(known).toMatchObject({ code: 0, out: expect.stringContaining("(1 known from the baseline)") });
      await writeFile(join(folder, flow), drawn); // the known line has moved
      const fresh = await trilithCheck(folder, "--no-load", "--baseline");
      expect(fresh).toMatchObject({ code: 1, out: expect.stringContaining("pure/random") });
      expect(fresh.out).not.toContain("pure/clock\n");
    });
  });

  it("may only shrink: what is gone has to be taken out, and what is new is never put in", async () => {
    await inProject({ [flow]: drawn }, async (folder) => {
      await trilithCheck(folder, "--no-load", "--update-baseline");
      await writeFile(join(folder, flow), late);
      const gone = await trilithCheck(folder, "--no-load", "--baseline");
      expect(gone.code).toBe(1);
      expect(gone.out).toContain("An entry of the baseline does not occur any more.");
      await appendFile(join(folder, "storage/bookings.ts"), 'export const ask = () => fetch("https://x.test");\n');
      expect((await trilithCheck(folder, "--no-load", "--update-baseline")).code).toBe(1);
      const { findings } = JSON.parse(await readFile(join(folder, baselineFile), "utf8"));
      expect(findings.map(({ rule }: { rule: string }) => rule)).toEqual(["pure/clock"]);
    });
  });

  it("counts: of two equal lines one was known, and the other is new", async () => {
    const line = "  if (Date.now() > 5) return trip.flight;";
    await inProject({ [flow]: workflowWith(line) }, async (folder) => {
      await trilithCheck(folder, "--no-load", "--update-baseline");
      await writeFile(join(folder, flow), workflowWith(`${line}\n${line}`));
      expect((await trilithCheck(folder, "--no-load", "--baseline")).out).toContain("1 finding (1 known");
    });
  });

  it("keeps what could not be looked at, as do allowances, where nothing is loaded", async () => {
    const files = {
      "contracts.ts": edited(
        clean["contracts.ts"],
        ['owner: "trips", summary: "Trips."', 'summary: "Trips."'],
        [', summary: "Airports."', ""],
      ),
      "trilith.check.json":
        '{ "allow": [{ "rule": "contracts/summary", "at": "airports", "reason": "It is a test." }] }',
    };
    await inProject(files, async (folder) => {
      const strictly = (...flags: readonly string[]) => trilithCheck(folder, "--strict", ...flags);
      expect((await strictly("--update-baseline")).code).toBe(0);
      expect((await strictly("--no-load", "--baseline")).code).toBe(0);
      expect((await strictly("--no-load", "--update-baseline")).code).toBe(0);
      expect((await strictly("--baseline")).out).toContain("(1 known from the baseline, 1 allowed with a reason)");
      // Advice is in no baseline where it fails nothing, and none of it that was written is missed.
      expect((await trilithCheck(folder, "--baseline")).code).toBe(0);
      const owned = edited(clean["contracts.ts"], [', summary: "Airports."', ""]);
      await writeFile(join(folder, "contracts.ts"), owned);
      expect((await trilithCheck(folder, "--baseline")).code).toBe(0);
    });
  });

  it("that somebody broke is refused", async () => {
    await inProject({ [baselineFile]: '{ "version": 1, "findings": [{}] }' }, async (folder) => {
      const { code, err } = await trilithCheck(folder, "--baseline");
      expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("is not a baseline") });
    });
  });
});

describe("the lock file", () => {
  it("is judged by who knows about versions, with the contracts as they are loaded", async () => {
    const judge =
      'export const judgeLock = ({ contracts, backend, text }) => contracts.filter(() => backend.name === "seats").filter((one) => one["~contract"].name === "trips").map((one) => ({ contract: "trips", message: "trips " + one["~contract"].version + " is not in " + text + "." }));\n';
    await inProject({ "contracts.lock.json": "{}", "scripts/judge.js": judge }, async (folder) => {
      const lockJudge = pathToFileURL(join(folder, "scripts/judge.js")).href;
      const { findings, textOf } = await check(folder, { lockJudge });
      expect(findings).toMatchObject([
        { rule: "lock/current", file: "contracts.ts", about: "trips", message: "trips 1.0.0 is not in {}." },
      ]);
      const [{ at } = { at: undefined }] = findings;
      expect(textOf("contracts.ts")?.slice(at?.start, at?.end)).toBe('"trips"');
      const { notes } = await check(folder);
      expect(notes).toEqual(["contracts.lock.json was not looked at."]);
    });
  });
});

describe("an upcaster that leads elsewhere", () => {
  it("is told of without a lock file, with a value that does not get through, and the way down as well", async () => {
    const withSteps = (...steps: readonly string[]) => {
      const event = `SeatHeld: event(Seat.extend({ by: z.enum(["cash", "transfer"]) }), { version: 2, from: [upcast(Seat, ${steps.join(", ")})] }),`;
      return edited(edited(clean["contracts.ts"], ["SeatHeld: event(Seat),", event]), [
        "event, personal",
        "event, upcast, personal",
      ]);
    };
    const told = async (...steps: readonly string[]) => {
      await using project = await projectWith({ "contracts.ts": withSteps(...steps) });
      const { findings } = JSON.parse((await trilithCheck(project.folder, "--json")).out);
      return findings.map(({ rule, file, message }: Finding) => `${rule} ${file} ${message}`);
    };
    const up = '(old) => ({ ...old, by: "cash" })';
    expect(await told(up, "({ by: _, ...old }) => old")).toEqual([]);
    expect(await told('(old) => ({ ...old, by: "card" as never })')).toEqual([
      expect.stringMatching(
        /^contracts\/upcaster contracts\.ts An upcaster of .*SeatHeld does not lead from shape 1 to the present one: .*\/by/,
      ),
    ]);
    expect(await told(up, "() => ({}) as never")).toEqual([
      expect.stringMatching(
        /^contracts\/upcaster contracts\.ts The way down of .*SeatHeld does not lead from version 2/,
      ),
    ]);
  });
});

describe("the lock file, by the command", () => {
  const lockOf = async (folder: string): Promise<string> => {
    const cli = join(root, "src/cli/main.ts");
    await promisify(execFile)(process.execPath, ["--conditions=trilith-source", cli, "contracts", "publish"], {
      cwd: folder,
    });
    return readFile(join(folder, "contracts.lock.json"), "utf8");
  };
  const locked = async (folder: string): Promise<readonly { readonly rule: string; readonly message: string }[]> =>
    JSON.parse((await trilithCheck(folder, "--json")).out).findings;

  it("is what was published, or says which contract is not in it, has changed, or was changed by hand", async () => {
    await inProject({}, async (folder) => {
      const text = await lockOf(folder);
      expect(await locked(folder)).toEqual([]);
      const contracts = join(folder, "contracts.ts");
      const before = await readFile(contracts, "utf8");
      const told = async (file: string, change: (text: string) => string) => {
        const was = await readFile(file, "utf8");
        await writeFile(file, change(was));
        const found = await locked(folder);
        await writeFile(file, was);
        return found;
      };
      const trips = '"trips", { version: "1.0.0"';
      expect(before).toContain(trips);
      expect(await told(contracts, (text) => text.replace(trips, '"trips", { version: "1.0.1"'))).toMatchObject([
        {
          rule: "lock/current",
          file: "contracts.ts",
          message: expect.stringContaining('"trips" 1.0.1 is not published'),
        },
      ]);
      expect(
        await told(contracts, (text) => text.replace("output: z.string()", "output: z.string().max(9)")),
      ).toMatchObject([{ rule: "lock/current", message: expect.stringContaining("Give it version 1.1.0") }]);
      const lock = join(folder, "contracts.lock.json");
      expect(await told(lock, () => text.replace('"Trips."', '"Trip."'))).toMatchObject([
        { rule: "lock/current", message: expect.stringContaining("was changed by hand") },
      ]);
    });
  });
});

it("a thousand files are checked, and what that costs the processor is told", { timeout: 120_000 }, async () => {
  await inProject({}, async (folder) => {
    await generate(folder);
    const { ended, ms } = await measured(folder);
    const { code, out, err } = ended;
    expect({ code, err, out }).toMatchObject({ code: 0, err: "" });
    expect(out).toMatch(/^1005 files/);
    console.info(`a thousand files: ${Math.round(ms)} ms of the processor`);
  });
});

/** A check, and the milliseconds that all of its threads had a processor for. */
async function measured(folder: string): Promise<{ readonly ended: Ended; readonly ms: number }> {
  const file = join(folder, "node_modules/used.json");
  const measuring = `import { writeFileSync } from "node:fs";
process.on("exit", () => writeFileSync(${JSON.stringify(file)}, JSON.stringify(process.cpuUsage())));`;
  const ended = await trilith(folder, ["--import", `data:text/javascript,${encodeURIComponent(measuring)}`], "check");
  const { user, system } = JSON.parse(await readFile(file, "utf8"));
  return { ended, ms: (user + system) / 1_000 };
}

/** A thousand files in three layers, which import contracts, each other, and a helper of their layer. */
async function generate(folder: string): Promise<void> {
  for (const layer of ["orchestration", "aggregation", "storage"]) await mkdir(join(folder, layer, "parts"));
  const padding = Array.from(
    { length: 30 },
    (_, n) => `export const text${n} = (given: string): string => given.slice(${n}).trim();`,
  ).join("\n");
  for (let n = 0; n < 1_000; n++) {
    const layer = ["orchestration", "aggregation", "storage"][n % 3] as string; // one of three
    const before =
      n < 3 ? "" : `import { part as before } from "./part-${n - 3}.ts";\nexport const length = before.length;\n`;
    const main =
      layer === "orchestration"
        ? edited(
            workflowWith("  if (text1(trip.flight) === part) return part;"),
            ["../contracts", "../../contracts"],
            ["export const bookTrip", "export const other"],
          )
        : 'import type { Seat } from "../../contracts.ts";\nexport type It = typeof Seat;\n';
    const text = `${before}${main}export const part = "part ${n}";\n${padding}\n`;
    await writeFile(join(folder, layer, "parts", `part-${n}.ts`), text);
  }
}
