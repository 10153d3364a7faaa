import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Running } from "trilith";

interface Ready {
  readonly url: string;
  readonly pages: Running["pages"];
}
export interface Supervised extends Ready {
  readonly pid: number;
  /** Ends the backend gracefully. */
  stop(): Promise<void>;
}
export interface SupervisorOptions {
  readonly environment: { readonly [name: string]: string };
  /** The file that exports the backend; by default the example's own. */
  readonly file?: string;
  /** Told when the backend has died and when it is up again. */
  readonly onEvent?: (
    event: { readonly kind: "died"; readonly by: string } | { readonly kind: "up"; readonly afterMs: number },
  ) => void;
  /** Called when the backend says itself that it cannot go on. */
  readonly onEnd?: (code: number) => void;
}

const cli = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
const backendFile = fileURLToPath(new URL("../backend.ts", import.meta.url));
const restartBoundMs = 5_000;
/** Longer than the backend gives itself; what is parked goes on at the next start. */
const stopBoundMs = 15_000;

/** Runs the backend as a process of its own and starts it again whenever it is killed. Rejects if it does not come up the first time. */
export async function supervise(options: SupervisorOptions): Promise<Supervised> {
  const { file = backendFile } = options;
  let child = start(file, options.environment);
  const { url, pages } = await ready(child);
  const environment = { ...options.environment, PORT: new URL(url).port }; // the same address after every restart
  let stopping = false;
  let quickDeaths = 0;

  const watch = (watched: ChildProcess, since: number): void => {
    watched.once("exit", (code, signal) => {
      if (stopping) return;
      if (code !== null) return options.onEnd?.(code);
      const died = performance.now();
      options.onEvent?.({ kind: "died", by: signal ?? "a signal" });
      quickDeaths = died - since < 1_000 ? quickDeaths + 1 : 0;
      setTimeout(() => restart(died), Math.min(restartBoundMs, quickDeaths && 100 * 2 ** quickDeaths));
    });
  };
  const restart = (died: number): void => {
    if (stopping) return;
    child = start(file, environment);
    watch(child, performance.now());
    ready(child).then(
      () => options.onEvent?.({ kind: "up", afterMs: performance.now() - died }),
      () => {}, // its exit is watched, and says why
    );
  };
  watch(child, performance.now());

  return {
    url,
    pages,
    get pid() {
      return child.pid as number; // it has been up, so it has one
    },
    async stop() {
      stopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      const overdue = setTimeout(() => child.kill("SIGKILL"), stopBoundMs);
      await exited;
      clearTimeout(overdue);
    },
  };
}

// The IPC channel tells when the backend is up, and the backend that this process is gone.
function start(file: string, environment: { readonly [name: string]: string }): ChildProcess {
  return spawn(process.execPath, ["--conditions=trilith-source", cli, "start", file], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

function ready(child: ChildProcess): Promise<Ready> {
  return new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(message as Ready));
    child.once("error", reject);
    child.once("exit", (code, signal) => reject(new DidNotStart(code ?? 1, signal)));
  });
}

/** The backend has already said why, on standard error. */
export class DidNotStart extends Error {
  readonly code: number;
  constructor(code: number, signal: NodeJS.Signals | null) {
    super(signal ? `The backend was ended by ${signal} before it was up.` : "The backend did not start.");
    this.code = code;
  }
}
