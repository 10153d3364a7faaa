import { parseArgs } from "node:util";
import { readSettings, type Settings } from "./settings.ts";

export interface CommandLine {
  /** 0 takes any free port. */
  readonly port: number;
  readonly seed: number;
  /** Where a service that remembers keeps its files. */
  readonly data: string;
  readonly settings: Partial<Settings>;
}

/**
 * `--port 0 --seed 7 --data DIR --mode flaky --latency 5..30 --errors 0.05 --settings '{"next":["slow"]}'`.
 * Each also as an environment variable (`UPSTREAM_PORT`, `UPSTREAM_SEED`, …); a flag wins over it.
 */
export function commandLine(args: string[] = process.argv.slice(2), env: NodeJS.ProcessEnv = process.env): CommandLine {
  const { values } = parseArgs({ args, options: flags });
  const given = (name: keyof typeof flags): string | undefined => values[name] ?? env[`UPSTREAM_${name.toUpperCase()}`];
  const [mode, latency, errors] = [given("mode"), given("latency"), given("errors")];
  return {
    port: wholeNumber("port", given("port") ?? "0"),
    seed: wholeNumber("seed", given("seed") ?? "1"),
    data: given("data") ?? ".data/upstreams",
    settings: readSettings({
      ...JSON.parse(given("settings") ?? "{}"),
      ...(mode && { mode }),
      ...(latency && { latency }),
      ...(errors && { errors: Number(errors) }),
    }),
  };
}

const text = { type: "string" } as const;
const flags = { port: text, seed: text, data: text, mode: text, latency: text, errors: text, settings: text };

function wholeNumber(name: string, value: string): number {
  if (!/^\d+$/.test(value)) throw new Error(`--${name} must be a whole number, and not "${value}".`);
  return Number(value);
}
