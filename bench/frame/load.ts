import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { FromLoad, ToLoad } from "./load-messages.ts";
import { type Asked, type Measured, Wrong } from "./subject.ts";

export interface Load {
  round(asked: Asked): Promise<Measured>;
  close(): void;
}

/**
 * Clients over HTTP, in a process of their own, so that what they use is not counted as the system's. `file` exports
 * `toRequests(parameter)`; each client has a connection, and one request at a time on it.
 */
export function startLoad(origin: string, file: string, parameter = ""): Load {
  const child = fork(join(import.meta.dirname, "load-process.ts"), [origin, file, parameter], {
    execArgv: ["--conditions=trilith-source", "--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  return {
    async round(asked) {
      child.send({ round: asked } satisfies ToLoad);
      const [message] = (await once(child, "message")) as [FromLoad];
      if ("measured" in message) return message.measured;
      throw message.wrong ? new Wrong(message.failed) : new Error(message.failed);
    },
    close: () => void child.kill(),
  };
}
