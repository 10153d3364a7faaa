import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const startFile = join(root, "examples/trips/start.ts");

/** The example as somebody starts it: a process with children of its own. */
export interface Example {
  readonly child: ChildProcess;
  /** All that it has printed so far. */
  readonly out: () => string;
  readonly err: () => string;
  /** Resolves to the match once it has printed that; rejects with what it printed instead. */
  says(pattern: RegExp, withinMs: number): Promise<RegExpExecArray>;
  /** How it ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Everything that lives on its behalf, whoever the parent is by now. */
  processes(): readonly Process[];
  /** As Ctrl-C does: every process of the terminal's foreground gets it. */
  interrupt(): void;
  /** Ends what is left of it. */
  [Symbol.asyncDispose](): Promise<void>;
}
export interface Process {
  readonly pid: number;
  readonly command: string;
}
export interface StartOptions {
  /** `npm` as a newcomer types it; `node` for what npm would hide, its exit code above all. */
  readonly by?: "npm" | "node";
  readonly args?: readonly string[];
  readonly env?: { readonly [name: string]: string };
  readonly uid?: number;
}

export function startExample({ by = "npm", args = [], env = {}, uid }: StartOptions = {}): Example {
  const mark = `mark-${process.pid}-${Math.random().toString(36).slice(2)}`;
  const [command, given] =
    by === "npm"
      ? ["npm", ["start", "--silent", ...(args.length > 0 ? ["--", ...args] : [])]]
      : [process.execPath, ["--conditions=trilith-source", startFile, ...args]];
  const child = spawn(command, given as string[], {
    cwd: root,
    env: { ...newcomersEnvironment(), PORT: "0", EXAMPLE_MARK: mark, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // a group of its own, for Ctrl-C
    ...(uid !== undefined && { uid, gid: uid }),
  });
  let out = "";
  let err = "";
  child.stdout?.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    err += chunk;
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once("close", (code, signal) => resolve({ code, signal })),
  );
  const processes = (): readonly Process[] => processesWith(`EXAMPLE_MARK=${mark}`);
  return {
    child,
    out: () => out,
    err: () => err,
    ended,
    processes,
    async says(pattern, withinMs) {
      const until = performance.now() + withinMs;
      for (;;) {
        const found = pattern.exec(out);
        if (found) return found;
        if (performance.now() > until) throw new Error(`Not said within ${withinMs} ms: ${pattern}\n${out}\n${err}`);
        await pause(25);
      }
    },
    interrupt: () => void process.kill(-(child.pid as number), "SIGINT"), // it was spawned, so it has one
    async [Symbol.asyncDispose]() {
      for (const { pid } of processes()) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // It was quicker.
        }
      }
      await ended;
    },
  };
}

/** How it ended, within that time: what never ends is ended with the test, and does not outlive it. */
export function endedWithin(example: Example, ms: number): Example["ended"] {
  const late = pause(ms).then(() => {
    throw new Error(`It has not ended after ${ms} ms. It said:\n${example.out()}\n${example.err()}`);
  });
  return Promise.race([example.ended, late]);
}

/** Whether nothing is left within that time, and what is left otherwise. */
export async function leftAfter(example: Example, withinMs: number): Promise<readonly Process[]> {
  const until = performance.now() + withinMs;
  for (;;) {
    const left = example.processes();
    if (left.length === 0 || performance.now() > until) return left;
    await pause(50);
  }
}

/** A folder of its own, gone with the test. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "trilith-example-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Without what the test runner and npm have put in, this package's own binaries above all. Code that was compiled before may stay. */
function newcomersEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(VITEST|NODE_(?!COMPILE_CACHE$)|npm_|TRILITH_|TEST$|HOST$)/.test(name),
  );
  const path = process.env.PATH?.split(delimiter).filter((folder) => !folder.includes("node_modules"));
  return { ...Object.fromEntries(kept), ...(path && { PATH: path.join(delimiter) }) };
}

/** By what stands in their environment, which their own children inherit. Linux keeps it under /proc. */
function processesWith(variable: string): readonly Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(variable)) return [];
        return [{ pid: Number(pid), command: readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ") }];
      } catch {
        return []; // it has ended since, or is somebody else's
      }
    });
}
