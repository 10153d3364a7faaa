import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import {
  BaselineError,
  baselineFile,
  ConfigError,
  check,
  compare,
  explain,
  isRuleId,
  readBaseline,
  ruleIds,
  rules,
  toBaseline,
  toJson,
  toSarif,
  toText,
  writtenBaseline,
} from "../check/index.ts";

const usage = `Usage:
  trilith check [folder]        says where a project breaks the rules, and what to do; the folder is . unless told
    --json, --sarif             for programs, and for code hosts (SARIF 2.1.0)
    --baseline                  what is in ${baselineFile} is known; only what is new, or gone, fails
    --update-baseline           makes the baseline, or takes out what is gone; it never adds
    --strict                    what is advised (owners, summaries, examples of contracts) fails too
    --config <file>             instead of trilith.check.json
    --no-load                   reads files only: contract files and the backend are not run
  trilith check --explain <rule>, --rules

It ends with 0 if nothing breaks a rule, 1 if something does, 2 if it could not check.`;

// By its address: it is loaded where the contracts are, and only where there is a lock file or an older shape.
const lockJudge = new URL(
  import.meta.url.endsWith(".ts") ? "../evolution/judge-lock.ts" : "../evolution/judge-lock.js",
  import.meta.url,
).href;

/** Runs `trilith check`, and gives the code to end with: 0 fine, 1 findings, 2 it could not check. */
export async function checkCommand(args: readonly string[]): Promise<number> {
  try {
    return await run(args);
  } catch (error) {
    const isKnown = error instanceof ConfigError || error instanceof BaselineError || error instanceof Misused;
    console.error(isKnown ? error.message : error);
    return 2;
  }
}

/** The command line cannot be understood. */
class Misused extends Error {}

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = read(args);
  if (values.help) return say(usage, 0);
  if (values.rules) return say(ruleIds.map((id) => `${id.padEnd(32)}${rules[id].what}`).join("\n"), 0);
  if (values.explain !== undefined) {
    if (isRuleId(values.explain)) return say(explain(values.explain), 0);
    throw new Misused(`There is no rule ${values.explain}. trilith check --rules lists them.`);
  }
  const folder = resolve(positionals[0] ?? ".");
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new Misused(`There is no folder ${folder}.`);
  const began = performance.now();
  const report = await check(folder, {
    load: !values["no-load"],
    strict: values.strict === true,
    lockJudge,
    ...(values.config !== undefined && { config: values.config }),
  });
  const file = join(folder, baselineFile);
  const baseline = values.baseline || values["update-baseline"] ? readBaseline(file) : [];
  if (baseline === undefined && !values["update-baseline"])
    throw new Misused(`There is no ${baselineFile}. Make it with: trilith check --update-baseline`);
  const compared = compare(report, baseline ?? toBaseline(report));
  if (values["update-baseline"]) writeFileSync(file, writtenBaseline(compared.kept));
  // What was taken out just now is gone from the baseline too.
  const told = values["update-baseline"] ? { ...compared, gone: [] } : compared;
  const ms = performance.now() - began;
  const text = values.json
    ? toJson(report, told, ms)
    : values.sarif
      ? toSarif(report, told, packageVersion())
      : toText(report, told, ms);
  return say(text, told.fresh.length + told.gone.length > 0 ? 1 : 0);
}

function read(args: readonly string[]) {
  try {
    const parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        baseline: { type: "boolean" },
        config: { type: "string" },
        explain: { type: "string" },
        help: { type: "boolean", short: "h" },
        json: { type: "boolean" },
        "no-load": { type: "boolean" },
        rules: { type: "boolean" },
        sarif: { type: "boolean" },
        strict: { type: "boolean" },
        "update-baseline": { type: "boolean" },
      },
    });
    if (parsed.positionals.length > 1) throw new Error("One folder is checked at a time.");
    if (parsed.values.json && parsed.values.sarif) throw new Error("It is either --json or --sarif.");
    return parsed;
  } catch (error) {
    throw new Misused(`${(error as Error).message}\n\n${usage}`);
  }
}

function say(text: string, code: number): number {
  console.log(text);
  return code;
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return version;
}
