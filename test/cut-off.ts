import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface CutOff {
  readonly port: number;
  /** The next answer to something in which these letters stand is swallowed, and with it its connection. */
  swallow(asked: string): void;
  /** Ends every connection, and takes no new ones until `restore`. */
  cut(): void;
  restore(): void;
  /** New connections go to another server from now on. */
  lead(port: number): void;
  /** How many answers were swallowed. */
  readonly swallowed: number;
  close(): Promise<void>;
}

/** A way to a server that can be cut: so that a commit happens and nobody hears of it. */
export async function cutOff(first: number): Promise<CutOff> {
  const sockets = new Set<Socket>();
  let port = first;
  let asked: string | undefined;
  let away = false;
  let swallowed = 0;
  const proxy = createServer((client) => {
    if (away) return void client.destroy();
    const server = connect(port, "127.0.0.1");
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("error", () => {}); // being cut is what this is for
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    let swallowing = false;
    client.on("data", (data) => {
      if (asked !== undefined && data.includes(asked)) {
        swallowing = true;
        asked = undefined;
      }
      server.write(data);
    });
    server.on("data", (data) => {
      if (!swallowing) return void client.write(data);
      swallowed++;
      client.destroy();
    });
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    port: (proxy.address() as { port: number }).port,
    swallow: (letters) => {
      asked = letters;
    },
    cut: () => {
      away = true;
      for (const socket of sockets) socket.destroy();
    },
    restore: () => {
      away = false;
    },
    lead: (to) => {
      port = to;
    },
    get swallowed() {
      return swallowed;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
