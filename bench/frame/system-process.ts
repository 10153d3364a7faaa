import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Consumption } from "./consumption.ts";
import type { FromChild, ToChild } from "./messages.ts";
import { type Asked, type Measured, type Place, Wrong } from "./subject.ts";

export interface SystemProcess {
  readonly pid: number;
  readonly version: string;
  round(asked: Asked): Promise<{ readonly measured: readonly Measured[]; readonly consumption: Consumption }>;
  beginProfile(): Promise<void>;
  /** Writes the profiles into a folder, and gives the hottest functions as lines. */
  endProfile(into: string): Promise<readonly string[]>;
  verify(): Promise<void>;
  close(): Promise<void>;
}
export interface ProcessOptions {
  readonly name: string;
  readonly file: string;
  readonly work: string;
  readonly place: Place;
}

/** Users run JavaScript: what turns TypeScript into it would take 10 MB in each thread, and is left out once this is filled. */
const compiled = join(tmpdir(), "trilith-bench-compiled");
const openingMs = 300_000;
const closingMs = 20_000;
/** Beyond what was asked for: work of a given size takes its time, and a system that hangs has to be noticed. */
const roundMs = 3_600_000;

/** Starts a system in a process of its own, so that its CPU, its memory and its garbage are nobody else's. */
export async function startSystem(options: ProcessOptions): Promise<SystemProcess> {
  const { name, file, work, place } = options;
  const child = fork(join(import.meta.dirname, "child.ts"), [file, work, JSON.stringify(place)], {
    execArgv: ["--conditions=trilith-source", "--disable-warning=ExperimentalWarning"],
    env: { NODE_COMPILE_CACHE: compiled, ...process.env, NODE_ENV: "production" },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const said = lastWords(child);
  const ended = once(child, "exit").then(([code, signal]) => {
    throw new Error(`${name} ended with ${signal ?? `code ${code}`} in the middle of "${work}". ${said()}`);
  });
  ended.catch(() => {}); // whoever waits for an answer is told; at the end nobody does

  const answer = async (): Promise<FromChild> => {
    const [message] = (await Promise.race([once(child, "message"), ended])) as [FromChild];
    if (!("failed" in message)) return message;
    const sentence = `${name}, at "${work}": ${message.failed}`;
    throw message.wrong ? new Wrong(sentence) : new Error(sentence);
  };
  const ask = (message: ToChild): Promise<FromChild> => {
    const answered = answer();
    child.send(message);
    return answered;
  };
  try {
    const opened = await withinTime(answer(), openingMs, `${name} has not opened for "${work}"`);
    if (!("opened" in opened)) throw new Error(`${name} said something else than that it is open.`);
    return {
      pid: child.pid ?? 0, // it has answered, so it has one
      version: opened.opened.version,
      async round(asked) {
        const answered = ask({ round: asked });
        const message = await withinTime(answered, asked.forMs + roundMs, `${name} has not ended a round of "${work}"`);
        if (!("measured" in message)) throw new Error(`${name} was asked for a round and answered something else.`);
        return message;
      },
      async beginProfile() {
        await ask({ profile: "begin" });
      },
      async endProfile(into) {
        const message = await ask({ profile: { into } });
        return "profiled" in message ? message.profiled : [];
      },
      async verify() {
        await ask({ verify: true });
      },
      async close() {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const gone = once(child, "exit");
        child.send({ close: true } satisfies ToChild);
        await withinTime(gone, closingMs, `${name} does not close`).catch(() => child.kill("SIGKILL"));
      },
    };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

/** What a process printed last, for the sentence that says why it ended. */
function lastWords(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      text = (text + chunk).slice(-2_000);
    });
  return () => text.trim();
}

async function withinTime<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within ${ms / 1_000} seconds.`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
