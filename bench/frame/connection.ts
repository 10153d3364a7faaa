import { connect, type Socket } from "node:net";
import { wholeAnswer } from "./answer-text.ts";
import type { Reply, Sent } from "./load-messages.ts";

/** A server may close what nobody uses; what has been idle for longer than this, as between two rounds, is not used again. */
const idleMs = 1_000;

interface Asking {
  readonly sent: Sent;
  /** Whether its connection had been used before: the server may have closed it at that very moment. */
  readonly again: boolean;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One connection of a client over HTTP/1.1, with one request at a time. As little as there can be of it: clients share the
 * cores with what they measure, and what they use is missing there. An answer is read to its end, and handed on as text.
 */
export class Connection {
  readonly #origin: URL;
  #socket: Socket | undefined;
  #received: Buffer | undefined;
  #asking: Asking | undefined;
  #usedAt = 0;
  constructor(origin: string) {
    this.#origin = new URL(origin);
  }

  ask(sent: Sent): Promise<Reply> {
    if (performance.now() - this.#usedAt > idleMs) this.#leave();
    return new Promise((resolve, reject) => {
      this.#send({ sent, again: this.#socket !== undefined, resolve, reject });
    });
  }

  #send(asking: Asking): void {
    this.#socket ??= this.#open();
    this.#asking = asking;
    this.#socket.write(this.#toText(asking.sent), "utf8");
  }

  #toText({ method, path, headers = {}, body }: Sent): string {
    let head = `${method} ${path} HTTP/1.1\r\nhost: ${this.#origin.host}\r\n`;
    for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
    return body === undefined ? `${head}\r\n` : `${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  }

  #open(): Socket {
    const socket = connect({ host: this.#origin.hostname, port: Number(this.#origin.port), noDelay: true });
    socket.on("data", (piece: Buffer) => this.#hear(piece));
    socket.on("error", (error) => this.#lose(socket, error));
    socket.on("close", () => this.#lose(socket, new Error("The connection was closed before the answer was there.")));
    return socket;
  }

  #hear(piece: Buffer): void {
    this.#received = this.#received ? Buffer.concat([this.#received, piece]) : piece;
    const answer = wholeAnswer(this.#received);
    if (!answer) return;
    this.#received = undefined;
    this.#usedAt = performance.now();
    if (answer.closes) this.#leave();
    const asking = this.#asking;
    this.#asking = undefined;
    asking?.resolve(answer);
  }

  #lose(socket: Socket, error: Error): void {
    if (this.#socket !== socket) return;
    const wasHeard = this.#received !== undefined;
    this.#leave();
    const asking = this.#asking;
    this.#asking = undefined;
    if (!asking) return;
    // A server that has closed an idle connection has not seen what was sent on it meanwhile: as browsers do, once more.
    if (asking.again && !wasHeard && asking.sent.method === "GET") this.#send({ ...asking, again: false });
    else asking.reject(error);
  }

  #leave(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#received = undefined;
    socket?.destroy();
  }
}
