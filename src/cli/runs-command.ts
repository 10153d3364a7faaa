import { parseArgs } from "node:util";

const usage = `Usage:
  trilith runs list [--operation trips.book] [--state failed,paused] [--id 0192] [--tag tenant=acme] …
                                         finds runs, the latest first; --limit, --after, --workflow, --run-key,
                                         --started-from, --started-to, --ended-from, --ended-to, --order asc
  trilith runs counts                    how many runs of each workflow are in each state
  trilith runs show <run>                how it stands with a run
  trilith runs history <run>             its journal, as JSON
  trilith runs cancel <run>              ends it, and undoes what it did
  trilith runs terminate <run>           ends it at once, with nothing undone
  trilith runs pause | resume <run>      holds it, and lets it go on
  trilith runs retry <run>               lets a run that has ended go on from the step that failed
  trilith runs fork <run> [--step s] [--input '{…}'] [--yes]
                                         begins a run with the results of this one up to a step; --yes where
                                         that does something again that this one has done
  trilith runs signal <run> <name> ['{…}']
  trilith runs cancel --all --operation trips.book --state failed
                                         the same for all that are found: cancel, terminate, pause, resume, retry

  --url <address>   where the backend is; http://localhost:4400 unless told
  --key <key>       an API key with the scopes runs:read and runs:operate, or TRILITH_KEY in the environment
  --reason <text>   stands in the journal
  --json            for programs`;

const actions = ["cancel", "terminate", "pause", "resume", "retry"];

/** Runs `trilith runs`, over HTTP, and gives the code to end with: 0 fine, 1 refused, 2 not understood or out of reach. */
export async function runsCommand(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  try {
    return await act(read(args), environment);
  } catch (error) {
    if (error instanceof Misused || error instanceof Refused) console.error(error.message);
    else console.error(error);
    return error instanceof Refused ? 1 : 2;
  }
}

/** The command line cannot be understood, or nobody answers. */
class Misused extends Error {}
/** The backend says no. */
class Refused extends Error {}

type Read = ReturnType<typeof read>;

async function act({ values, positionals }: Read, environment: NodeJS.ProcessEnv): Promise<number> {
  const [command, run, ...rest] = positionals;
  if (values.help || command === undefined) return say(usage);
  const ask = toAsk(values.url ?? "http://localhost:4400", values.key ?? environment.TRILITH_KEY);
  const reason = values.reason === undefined ? {} : { reason: values.reason };
  const show = (answer: unknown, text: string): number => say(values.json ? JSON.stringify(answer, null, 2) : text);
  if (command === "list") {
    const query = new URLSearchParams(toQuery(values));
    const answer = (await ask("GET", `/runs?${query}`)) as {
      readonly runs: readonly Summary[];
      readonly next?: string;
    }; // as OpenAPI says
    return show(answer, toTable(answer.runs, answer.next));
  }
  if (command === "counts") {
    const answer = (await ask("GET", "/runs/counts")) as { readonly counts: readonly Count[] }; // as OpenAPI says
    const lines = answer.counts.map(
      ({ workflow, state, count, more }) =>
        `${String(count).padStart(8)}${more ? "+" : " "} ${state.padEnd(11)} ${workflow}`,
    );
    return show(answer, lines.join("\n") || "There are no runs.");
  }
  if (actions.includes(command) && values.all) {
    const { limit: _limit, after: _after, order: _order, ...filter } = toQuery(values);
    const answer = await ask("POST", "/runs/actions", { action: command, filter: toFilter(filter), ...reason });
    const { id } = answer as { readonly id: string }; // as OpenAPI says
    return show(answer, `It is done in the background, as action ${id}.`);
  }
  if (run === undefined) throw new Misused(`Say which run: trilith runs ${command} <run>\n\n${usage}`);
  const at = `/runs/${encodeURIComponent(run)}`;
  if (command === "show") return say(JSON.stringify(await ask("GET", at), null, 2));
  if (command === "history") return say(JSON.stringify(await ask("GET", `${at}/history`), null, 2));
  if (actions.includes(command)) {
    const answer = (await ask("POST", `${at}/${command}`, reason)) as { readonly state: string }; // as OpenAPI says
    return show(answer, `Taken. The run is ${answer.state}.`);
  }
  if (command === "fork") {
    const step = values.step === undefined ? {} : { step: values.step };
    const input = values.input === undefined ? {} : { input: parsed(values.input) };
    if (!values.yes) {
      const query = new URLSearchParams(step);
      const { again } = (await ask("GET", `${at}/fork?${query}`)) as { readonly again: readonly string[] }; // as OpenAPI says
      if (again.length > 0) throw new Refused(toWarning(run, again));
    }
    const answer = (await ask("POST", `${at}/fork`, { ...step, ...input })) as { readonly run: string }; // as OpenAPI says
    return show(answer, `Begun: run ${answer.run}.`);
  }
  if (command === "signal" && rest[0] !== undefined) {
    const answer = await ask("POST", `${at}/signals/${encodeURIComponent(rest[0])}`, parsed(rest[1] ?? "{}"));
    return show(answer, "Taken.");
  }
  throw new Misused(`"runs ${positionals.join(" ")}" is not understood.\n\n${usage}`);
}

const toWarning = (run: string, again: readonly string[]): string =>
  `Nothing was begun. Run ${run} has done, or begun to do, what this fork does again, under keys of its own: ${again.join(", ")}. That holds for what was undone since as well. Fork from a later step with --step, or say --yes.`;

interface Summary {
  readonly run: string;
  readonly operation: string;
  readonly state: string;
  readonly startedAt: string;
  readonly reason?: string;
  readonly failure?: string;
}
interface Count {
  readonly workflow: string;
  readonly state: string;
  readonly count: number;
  readonly more: boolean;
}

function read(args: readonly string[]) {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...{ url: text, key: text, reason: text, step: text, input: text, limit: text, after: text, order: text },
        ...{ operation: text, workflow: text, state: text, id: text, "started-from": text, "started-to": text },
        ...{ "ended-from": text, "ended-to": text, "run-key": text },
        tag: { type: "string", multiple: true },
        ...{
          yes: { type: "boolean" },
          all: { type: "boolean" },
          json: { type: "boolean" },
          help: { type: "boolean", short: "h" },
        },
      },
    });
  } catch (error) {
    throw new Misused(`${(error as Error).message}\n\n${usage}`);
  }
}

const plain = ["operation", "workflow", "state", "id", "limit", "after", "order"] as const;
const renamed = {
  "run-key": "key",
  "started-from": "startedFrom",
  "started-to": "startedTo",
  "ended-from": "endedFrom",
  "ended-to": "endedTo",
} as const;

function toQuery(values: Read["values"]): { readonly [name: string]: string } {
  const asked: Record<string, string> = {};
  for (const name of plain) if (values[name] !== undefined) asked[name] = values[name];
  for (const [option, name] of Object.entries(renamed)) {
    const value = values[option as keyof typeof renamed];
    if (value !== undefined) asked[name] = value;
  }
  for (const tag of values.tag ?? []) {
    const [, name = "", value = ""] = /^([\w.-]+)=(.*)$/s.exec(tag) ?? [];
    if (name === "") throw new Misused(`A tag is said like this: --tag tenant=acme, or --tag month.from=3`);
    asked[`tag.${name}`] = value;
  }
  return asked;
}

/** What stands in an address, as JSON. */
function toFilter(asked: { readonly [name: string]: string }): object {
  const filter: Record<string, unknown> = {};
  const tags: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(asked)) {
    const [, tag, bound] = /^tag\.([\w-]+)(?:\.(from|to))?$/.exec(name) ?? [];
    const value = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text.replace(/^"(.*)"$/s, "$1");
    if (tag === undefined) filter[name] = text;
    else tags[tag] = bound === undefined ? value : { ...(tags[tag] as object | undefined), [bound]: value };
  }
  return { ...filter, ...(Object.keys(tags).length > 0 && { tags }) };
}

function toAsk(url: string, key: string | undefined) {
  return async (method: "GET" | "POST", path: string, body?: unknown): Promise<unknown> => {
    const headers = {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
    };
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const answer = await fetch(new URL(path, url), init).catch((cause: Error) => {
      throw new Misused(`Nobody answers at ${url}. Say where the backend is: --url http://…`, { cause });
    });
    const text = await answer.text();
    if (answer.ok) return JSON.parse(text);
    const { title, detail } = problemOf(text);
    throw new Refused(detail ?? title ?? `The backend answered ${answer.status}.`);
  };
}

function problemOf(text: string): { readonly title?: string; readonly detail?: string } {
  try {
    return JSON.parse(text) as { readonly title?: string; readonly detail?: string }; // a problem document
  } catch {
    return {};
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Misused(`This is no JSON: ${text}`);
  }
}

function toTable(runs: readonly Summary[], next: string | undefined): string {
  if (runs.length === 0) return "No run is found.";
  const lines = runs.map(({ run, state, startedAt, operation, reason, failure }) =>
    `${run}  ${state.padEnd(10)}  ${startedAt}  ${operation}  ${failure ?? reason ?? ""}`.trimEnd(),
  );
  return [...lines, ...(next === undefined ? [] : [`There are more: --after ${next}`])].join("\n");
}

function say(text: string): number {
  console.log(text);
  return 0;
}
