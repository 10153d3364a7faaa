import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { suiteNames } from "../suites.ts";
import type { Scope } from "./suite.ts";

export const usage = `npm run bench -- ${suiteNames.join("|")}|all      measures a suite
npm run bench -- report      writes docs/benchmarks.md from the last full runs

  --quick              an impression, below 50 seconds a suite
  --scale              how cost grows with the work; takes long
  --json FILE          writes the rows to a file
  --work A,B           only these works
  --system A,B         only these systems
  --profile            CPU profiles and flame graphs beside the figures, which are slower for it`;

export interface Asked {
  readonly suites: readonly string[];
  readonly report: boolean;
  readonly scope: Scope;
  readonly json?: string;
  readonly works?: readonly string[];
  readonly systems?: readonly string[];
  readonly profile: boolean;
}

/** Throws a sentence with the usage where it does not understand. */
export function parseArguments(words: readonly string[]): Asked | "help" {
  const { values, positionals } = understood(words);
  const [what, more] = positionals;
  if (values.help || what === undefined) return "help";
  if (more !== undefined)
    throw new TypeError(`One suite at a time, or "all"; got "${positionals.join(" ")}".\n\n${usage}`);
  if (what !== "all" && what !== "report" && !suiteNames.includes(what))
    throw new TypeError(`There is no suite "${what}".\n\n${usage}`);
  if (values.quick && values.scale) throw new TypeError(`--quick and --scale exclude each other.\n\n${usage}`);
  const list = (text: string | undefined) => text?.split(",").map((one) => one.trim());
  const [works, systems] = [list(values.work), list(values.system)];
  return {
    suites: what === "all" ? suiteNames : what === "report" ? [] : [what],
    report: what === "report",
    scope: values.quick ? "quick" : values.scale ? "scale" : "full",
    profile: values.profile ?? false,
    // npm runs scripts in the package's folder; INIT_CWD is where the one who asked stands.
    ...(values.json !== undefined && { json: resolve(process.env.INIT_CWD ?? ".", values.json) }),
    ...(works && { works }),
    ...(systems && { systems }),
  };
}

function understood(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        quick: { type: "boolean" },
        scale: { type: "boolean" },
        json: { type: "string" },
        work: { type: "string" },
        system: { type: "string" },
        profile: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new TypeError(`${(error as Error).message}\n\n${usage}`, { cause: error });
  }
}
