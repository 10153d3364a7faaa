import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Settings } from "./settings.ts";

/** One service in its own process. */
export interface Child {
  readonly url: string;
  /** Resolves when the process has ended. */
  stop(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

export interface ChildOptions {
  readonly port: number;
  readonly seed: number;
  readonly data: string;
  readonly quiet: boolean;
  readonly settings: Partial<Settings>;
}

/** Resolves when the service says that it is ready; rejects with what it said instead. */
export async function startChild(name: string, { port, seed, data, quiet, settings }: ChildOptions): Promise<Child> {
  const file = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const flags = ["--port", `${port}`, "--seed", `${seed}`, "--data", data, "--settings", JSON.stringify(settings)];
  // Standard input is a pipe that nobody writes to: its end is how the service learns that we are gone.
  const child = spawn(process.execPath, [file, ...flags], { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => {});

  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk).slice(-2_000);
    if (!quiet) process.stderr.write(chunk);
  });

  const url = await Promise.race([ready(child), endedEarly(child), tooLate()]).catch((error) => {
    child.kill("SIGKILL");
    throw new Error(`The upstream "${name}" did not start: ${error.message} ${complaint}`.trim());
  });
  return { url, stop: (signal) => stop(child, signal) };
}

async function stop(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

async function ready(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error("its standard output is not a pipe.");
  const [line] = await once(createInterface(child.stdout), "line");
  return JSON.parse(line).url;
}

async function endedEarly(child: ChildProcess): Promise<never> {
  // "close" and not "exit": by then its last words have been read.
  const [code, signal] = await once(child, "close");
  throw new Error(`it ended with ${signal ?? `code ${code}`}.`);
}

async function tooLate(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  setTimeout(() => reject(new Error("it was not ready after 10 seconds.")), 10_000).unref();
  return promise;
}
