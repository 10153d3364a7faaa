import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import {
  type Deployment,
  type Description,
  type Finding,
  obstaclesOf,
  publishedIn,
  readDeployment,
  readLock,
} from "../evolution/index.ts";
import type { Output } from "./contracts-command.ts";
import { Refusal } from "./load.ts";
import { findingInWords } from "./verdict-words.ts";

interface Beside {
  /** An address, or a lock file. */
  readonly against: string;
  readonly key?: string;
  readonly json: boolean;
}

/** What would be deployed. Of contracts alone nobody knows the workflows: those that run there are taken to stay. */
export interface Candidate {
  readonly name: string;
  readonly serves: readonly Description[];
  readonly older: readonly Description[];
  readonly uses: readonly Description[];
  readonly workflows?: readonly string[];
}

/** Says whether a backend would work with what runs elsewhere. Gives back the exit code. */
export async function checkDeployable(
  candidate: Candidate,
  { against, key, json }: Beside,
  { say }: Output,
): Promise<number> {
  const running = /^https?:\/\//.test(against) ? await ask(against, key) : await fromLock(against);
  const { workflows = running.runs.map(({ workflow }) => workflow) } = candidate;
  const obstacles = obstaclesOf({ ...candidate, workflows }, running);
  if (json) say(JSON.stringify({ deployable: obstacles.length === 0, obstacles }, undefined, 2));
  else say(inWords(running, obstacles, against));
  return obstacles.length === 0 ? 0 : 1;
}

async function ask(address: string, key: string | undefined): Promise<Deployment> {
  const url = new URL("/.well-known/trilith.json", address);
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(10_000), redirect: "error" }).catch(
    (error: Error) => {
      const { cause } = error;
      throw new Refusal(`${url} does not answer (${cause instanceof Error ? cause.message : error.message}).`);
    },
  );
  if (response.status === 401 || response.status === 403)
    throw new Refusal(
      `${url} wants a key with the scope "contracts:read". Make one there: trilith key deploy --scope contracts:read`,
    );
  if (!response.ok) throw new Refusal(`${url} answers ${response.status}. Is a backend of Trilith running there?`);
  return readDeployment(await response.json().catch(() => undefined), `${url}`);
}

/** A lock tells of contracts alone: nothing of what is stored or under way. */
async function fromLock(file: string): Promise<Deployment> {
  const text = await readFile(resolve(file), "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Refusal(
      `${file} cannot be read (${error.code ?? error.message}). Give an address with http:// or a lock file.`,
    );
  });
  const serves = [...publishedIn(readLock(text, file)).values()]
    .filter(({ retired }) => !retired)
    .map(({ latest }) => latest);
  return { name: file, serves, uses: [], workflows: [], storedEvents: [], runs: [] };
}

function inWords(
  { name, serves, storedEvents, runs }: Deployment,
  obstacles: readonly Finding[],
  against: string,
): string {
  const under = runs.reduce((sum, { underWay }) => sum + underWay, 0);
  const seen = `${serves.length} contracts, ${storedEvents.length} kinds of stored events, ${under} runs under way`;
  if (obstacles.length === 0) return `✓ It can be deployed beside ${name} at ${against} (${seen}).`;
  return [`✗ It cannot be deployed beside ${name} at ${against} (${seen}).`, ...obstacles.flatMap(findingInWords)].join(
    "\n",
  );
}
