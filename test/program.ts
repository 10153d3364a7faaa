import { spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface Program extends AsyncDisposable {
  /** What it said that was waited for. */
  readonly ready: RegExpExecArray;
  readonly afterMs: number;
  text(): string;
  /** Presses Ctrl-C, and gives back the exit code. */
  interrupt(): Promise<number | null>;
  /** The exit code, once it has ended by itself. */
  ended(): Promise<number | null>;
  /** Whether it and whatever it started have ended. */
  readonly isGone: () => boolean;
}

export interface ProgramOptions {
  readonly folder: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** What it prints once it is up. */
  readonly until: RegExp;
}

/** Runs a command as a terminal does, in a process group of its own, until it says that it is up. */
export async function startProgram(command: string, options: ProgramOptions): Promise<Program> {
  const env = { ...process.env, ...options.environment };
  const child = spawn("bash", ["-c", command], {
    cwd: options.folder,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const group = -(child.pid as number); // bash is there, or nothing else of this file would work
  const began = performance.now();
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk));
  const closed = once(child, "close");
  const ended = async (): Promise<number | null> => {
    await closed;
    return child.exitCode;
  };
  const signal = (name: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) process.kill(group, name);
    return ended();
  };
  try {
    await until(() => options.until.test(text) || child.exitCode !== null, `"${command}" did not come up.`);
    const ready = options.until.exec(text);
    if (!ready) throw new Error(`"${command}" ended.`);
    const afterMs = performance.now() - began;
    const isGone = (): boolean => {
      try {
        return !process.kill(group, 0);
      } catch {
        return true;
      }
    };
    const stop = async (): Promise<void> => void (await signal("SIGKILL"));
    return {
      ready,
      afterMs,
      text: () => text,
      interrupt: () => signal("SIGINT"),
      ended,
      isGone,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await signal("SIGKILL");
    throw new Error(`${(error as Error).message} It said:\n${text}`, { cause: error });
  }
}

/** Real processes do not tell when; so they are looked at until they have, or a minute is over. */
export async function until(done: () => boolean | Promise<boolean>, otherwise: string): Promise<void> {
  const end = performance.now() + 60_000;
  while (!(await done())) {
    if (performance.now() > end) throw new Error(otherwise);
    await sleep(20);
  }
}

/** A port that nobody listens on: `wanted` where it is free. */
export async function freePort(wanted = 0): Promise<string> {
  const server = createServer().listen(wanted, "127.0.0.1");
  const got = await Promise.race([once(server, "listening").then(() => true), once(server, "error").then(() => false)]);
  if (!got) return freePort();
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return String(port);
}
