// What the tests of this folder share. Named like a type test, so that it is checked and never built into the package.
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { anonymous, type Call, type Clock, type Dispatch, silent, systemClock } from "../../contracts/index.ts";

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  /** Connections that are open at this moment. */
  readonly sockets: ReadonlySet<Socket>;
  /** Those of them that a request came through; a client may hold spare ones. */
  readonly asked: ReadonlySet<Socket>;
  /** Connections that were ever opened. */
  readonly connections: () => number;
}

/** A real server on loopback that does what the test says. */
export async function serve(answer: RequestListener): Promise<TestServer> {
  const sockets = new Set<Socket>();
  const asked = new Set<Socket>();
  let connections = 0;
  const server = createServer(answer);
  server.on("connection", (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => {
      sockets.delete(socket);
      asked.delete(socket);
    });
    socket.on("error", () => {});
  });
  server.prependListener("request", ({ socket }) => asked.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sockets,
    asked,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The machine's time, and how many timers are set. */
export function countingClock(): Clock & { readonly timers: () => number } {
  let timers = 0;
  return {
    now: systemClock.now,
    monotonic: systemClock.monotonic,
    after(ms, wake) {
      timers += 1;
      let set = true;
      const unset = (): void => {
        if (set) timers -= 1;
        set = false;
      };
      const cancel = systemClock.after(ms, () => {
        unset();
        wake();
      });
      return () => {
        unset();
        cancel();
      };
    },
    timers: () => timers,
  };
}

/** Waits for something that another process or the kernel has to do first. */
export async function eventually(holds: () => boolean, withinMs = 2_000): Promise<void> {
  const until = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > until) throw new Error(`It still does not hold after ${withinMs} ms: ${holds}`);
    await sleep(5);
  }
}

export const toCall = (more: Partial<Call> = {}): Call => ({
  principal: anonymous,
  trace: silent,
  aborted: new AbortController().signal,
  ...more,
});

export const nobody: Dispatch = {
  call: () => Promise.reject(new Error("Nobody was to be called.")),
  void: () => Promise.reject(new Error("Nobody was to be called.")),
};
