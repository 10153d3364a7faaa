import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { AnyContract } from "../contracts/index.ts";
import {
  type Description,
  describe,
  diff,
  emptyLock,
  type Finding,
  type Lock,
  LockError,
  publishedIn,
  readLock,
  rules,
  tryUpcasters,
  type Verdict,
  withOlder,
  withPublished,
  withTrials,
  writeLock,
} from "../evolution/index.ts";
import type { Backend } from "../runtime/index.ts";
import { writeCatalog } from "./contracts-catalog.ts";
import { writeClient } from "./contracts-client.ts";
import { type Candidate, checkDeployable } from "./deployable.ts";
import { load, loadModule, Refusal, Unloadable } from "./load.ts";
import { verdictInWords } from "./verdict-words.ts";

const usage = `Usage:
  trilith contracts diff [backend.ts]         judges the contracts against what was published
  trilith contracts publish [backend.ts]      writes new versions into the lock file
    --retire <contract>                       says that nobody is promised anything of it any more
  trilith contracts deployable [backend.ts]   whether this would work with what runs elsewhere
    --against <url | lock file>               a running backend, or what another place published
    --key <key>                               an API key with the scope "contracts:read"; else TRILITH_KEY
  trilith contracts client [backend.ts]       a client in TypeScript, one file that imports nothing
    --out <file>                              where it is written; to the terminal unless told
  trilith contracts catalog [backend.ts]      what is known of every contract, as JSON
    --out <folder>                            a page, the catalog, OpenAPI, AsyncAPI, Arazzo, JSON Schemas
  trilith contracts rules                     every rule by its id

  --contracts <file>   the contracts that this file exports, instead of those that the backend implements
  --lock <file>        contracts.lock.json unless told
  --json               for programs

Ends with 0 where all is well, 1 where something breaks or is not announced, 2 where the command was not understood.`;

/** Where a command's words go. */
export interface Output {
  readonly say: (text: string) => void;
  readonly complain: (text: string) => void;
}
const terminal: Output = { say: (text) => console.log(text), complain: (text) => console.error(text) };

interface Options {
  readonly command: string;
  readonly file: string;
  readonly contracts?: string;
  readonly lock: string;
  readonly json: boolean;
  readonly retire: readonly string[];
  readonly against?: string;
  readonly key?: string;
  readonly out?: string;
}

/** `trilith contracts …`. Gives back the exit code. */
export async function contractsCommand(args: readonly string[], output: Output = terminal): Promise<number> {
  try {
    const { command, options } = read(args);
    if (command === "diff") return await judgeContracts(options, output);
    if (command === "publish") return await publish(options, output);
    if (command === "deployable") return await deployable(options, output);
    if (command === "client") {
      const { contracts, longRunning } = await servedBy(options);
      return await writeClient(contracts, longRunning, options.out, output);
    }
    if (command === "catalog") {
      const { contracts, longRunning } = await servedBy(options);
      const { lock, out } = options;
      return await writeCatalog(await loadFor(options), { lock, contracts, longRunning, out }, output);
    }
    if (command === "rules") output.say(rulesInWords(options.json));
    else output.say(usage);
    return 0;
  } catch (error) {
    if (error instanceof LockError) {
      output.complain(error.message);
      return 1;
    }
    if (error instanceof Unloadable) {
      output.complain(
        `${error.message} ${error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : error.cause}`,
      );
      return 2;
    }
    output.complain(error instanceof Error ? error.message : String(error));
    return 2;
  }
}

function read(args: readonly string[]): { readonly command: string; readonly options: Options } {
  const { values, positionals } = (() => {
    try {
      return parseArgs({
        args: [...args],
        allowPositionals: true,
        options: {
          help: { type: "boolean", short: "h" },
          contracts: { type: "string" },
          lock: { type: "string" },
          json: { type: "boolean" },
          retire: { type: "string", multiple: true },
          against: { type: "string" },
          out: { type: "string" },
          key: { type: "string" },
        },
      });
    } catch (error) {
      throw new Refusal(`${(error as Error).message}\n\n${usage}`);
    }
  })();
  const [command = "help", file = "backend.ts", ...more] = positionals;
  if (!["diff", "publish", "deployable", "client", "catalog", "rules", "help"].includes(command) || more.length > 0)
    throw new Refusal(`"trilith contracts ${args.join(" ")}" is not understood.\n\n${usage}`);
  const { contracts, lock = "contracts.lock.json", json = false, retire = [], against, key, out } = values;
  if (command === "deployable" && against === undefined)
    throw new Refusal(
      `Say what it would be deployed beside: trilith contracts deployable --against http://localhost:4400`,
    );
  const options = {
    command,
    file,
    lock,
    json,
    retire,
    ...(contracts && { contracts }),
    ...(against && { against }),
    ...(key && { key }),
    ...(out && { out }),
  };
  return { command: values.help ? "help" : command, options };
}

async function judgeContracts(options: Options, { say }: Output): Promise<number> {
  const lock = await lockAt(options.lock);
  const { serves, older, stored, trials } = await contractsOf(options);
  const published = publishedIn(lock);
  const verdicts = withTrials(withOlder(diff(serves, published, { stored }), older, published), trials);
  say(options.json ? JSON.stringify({ verdicts }, undefined, 2) : verdicts.map(verdictInWords).join("\n"));
  return isFine(verdicts) ? 0 : 1;
}

async function publish(options: Options, { say, complain }: Output): Promise<number> {
  const lock = await lockAt(options.lock);
  const { serves, older, stored, trials } = await contractsOf(options);
  const unknown = options.retire.find((name) => !(name in lock.contracts));
  if (unknown !== undefined) throw new Refusal(`"${unknown}" was never published, so it cannot be retired.`);
  const still = options.retire.find((name) => serves.some((contract) => contract.name === name));
  if (still !== undefined)
    throw new Refusal(`"${still}" is still there. Take it out of the backend before it is retired.`);
  const retired = withPublished(lock, [], options.retire);
  const published = publishedIn(retired);
  const verdicts = withTrials(withOlder(diff(serves, published, { stored }), older, published), trials);
  if (!isFine(verdicts)) {
    const text = verdicts.filter(({ missing }) => missing.length > 0).map(verdictInWords);
    if (options.json) say(JSON.stringify({ published: [], verdicts }, undefined, 2));
    else complain(`Nothing was published.\n\n${text.join("\n")}`);
    return 1;
  }
  const fresh = serves.filter(({ name, version }) => lock.contracts[name]?.versions[version] === undefined);
  const next = withPublished(retired, fresh);
  if (fresh.length > 0 || options.retire.length > 0) await writeFile(resolve(options.lock), writeLock(next));
  const names = fresh.map(({ name, version }) => `${name} ${version}`);
  if (options.json) say(JSON.stringify({ published: names, retired: options.retire, verdicts }, undefined, 2));
  else {
    for (const name of names) say(`published  ${name}`);
    for (const name of options.retire) say(`retired    ${name}`);
    if (names.length + options.retire.length === 0) say("Everything is published already.");
    else say(`Commit ${options.lock}.`);
  }
  return 0;
}

async function deployable(options: Options, output: Output): Promise<number> {
  const against = options.against ?? "";
  const key = options.key ?? process.env.TRILITH_KEY;
  const { json } = options;
  return checkDeployable(await candidateOf(options), { against, json, ...(key && { key }) }, output);
}

async function candidateOf(options: Options): Promise<Candidate> {
  if (options.contracts !== undefined) {
    const serves = await exportedBy(options.contracts, options);
    return { name: options.contracts, serves: serves.map(describe), older: [], uses: [] };
  }
  const { name, serves, older, uses, workflows } = await loadFor(options);
  return {
    name,
    serves: serves.map(describe),
    older: older.map(describe),
    uses: uses.map(describe),
    workflows: workflows.map(({ operation, version }) => `${operation}@${version}`),
  };
}

const loadFor = ({ command, file }: Options): Promise<Backend> =>
  load(file, `trilith contracts ${command} backend.ts, or --contracts contracts.ts`);

async function exportedBy(file: string, { command }: Options): Promise<readonly AnyContract[]> {
  const module = (await loadModule(file, `trilith contracts ${command} --contracts contracts.ts`)) as object;
  const found = Object.values(module).filter(isContract);
  if (found.length === 0) throw new Refusal(`${file} exports no contract.`);
  return found;
}

const isFine = (verdicts: readonly Verdict[]): boolean => verdicts.every(({ missing }) => missing.length === 0);

/** The contracts in question, described; and which of their commands keep their inputs, because a workflow implements them. */
async function contractsOf(options: Options): Promise<{
  readonly serves: readonly Description[];
  readonly older: readonly AnyContract[];
  readonly stored: ReadonlySet<string>;
  readonly trials: readonly Finding[];
}> {
  if (options.contracts === undefined) {
    const { serves, older, workflows } = await loadFor(options);
    const stored = new Set(workflows.map(({ operation }) => operation));
    return { serves: serves.map(describe), older, stored, trials: await tryUpcasters(serves) };
  }
  const found = await exportedBy(options.contracts, options);
  return { serves: found.map(describe), older: [], stored: new Set(), trials: await tryUpcasters(found) };
}

/** The contracts that callers see, older versions included, and which of their commands may go on as runs. */
async function servedBy(options: Options): Promise<{
  readonly contracts: readonly AnyContract[];
  readonly longRunning: readonly string[];
}> {
  if (options.contracts === undefined) {
    const { serves, composition, workflows } = await loadFor(options);
    const ids = workflows.map(({ operation }) => operation);
    const ways = composition.older.flatMap(({ ways }) => ways).filter(({ present }) => ids.includes(present.id));
    return {
      contracts: [...serves, ...composition.older.map(({ contract }) => contract)],
      longRunning: [...ids, ...ways.map(({ older }) => older.id)],
    };
  }
  return { contracts: await exportedBy(options.contracts, options), longRunning: [] };
}

const isContract = (value: unknown): value is AnyContract =>
  typeof value === "object" && value !== null && "~contract" in value;

async function lockAt(file: string): Promise<Lock> {
  const text = await readFile(resolve(file), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new Refusal(`${file} cannot be read (${error.code ?? error.message}).`);
  });
  return text === undefined ? emptyLock : readLock(text, file);
}

function rulesInWords(json: boolean): string {
  if (json) return JSON.stringify(rules, undefined, 2);
  return Object.entries(rules)
    .map(([rule, { level, says }]) => `${level.padEnd(6)} ${rule.padEnd(32)} ${says}`)
    .join("\n");
}
