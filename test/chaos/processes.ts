import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A node as a process of its own, which is started again whenever it ends. */
export interface NodeProcess {
  readonly url: string | undefined;
  readonly isStopped: boolean;
  /** Kills it, as the system would when memory is short. */
  kill(): void;
  /** Holds it where it stands; the answer lets it go on, if it is there still. */
  freeze(): () => void;
  end(): Promise<void>;
}

const cli = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const backend = fileURLToPath(new URL("./chaos-backend.ts", import.meta.url));
const restartMs = 300;

export async function startNodeProcess(
  environment: { readonly [name: string]: string },
  file: string = backend,
): Promise<NodeProcess> {
  let url: string | undefined;
  let ending = false;
  let stopped = false;
  let child: ChildProcess;
  const up = Promise.withResolvers<void>();
  const start = (): void => {
    const env = { ...process.env, ...environment, PORT: "0" };
    const started = spawn(process.execPath, ["--conditions=trilith-source", cli, "start", file], {
      env,
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    child = started;
    started.once("message", (message) => {
      url = (message as { readonly url: string }).url;
      up.resolve();
    });
    started.once("exit", () => {
      url = undefined;
      stopped = false;
      if (!ending) setTimeout(() => ending || start(), restartMs); // PostgreSQL may be away, so it may not come up at once
    });
  };
  start();
  await up.promise;
  return {
    get url() {
      return url;
    },
    get isStopped() {
      return stopped;
    },
    kill: () => void child.kill("SIGKILL"),
    freeze() {
      const frozen = child;
      frozen.kill("SIGSTOP");
      stopped = true;
      return () => {
        frozen.kill("SIGCONT");
        if (child === frozen) stopped = false;
      };
    },
    async end() {
      ending = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGCONT");
      child.kill("SIGTERM");
      const overdue = setTimeout(() => child.kill("SIGKILL"), 15_000);
      await exited;
      clearTimeout(overdue);
    },
  };
}
