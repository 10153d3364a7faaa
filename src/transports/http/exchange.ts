import type { Dispatcher } from "undici";
import type { Aborted } from "../../aggregation/host.ts";
import { decompress, inWords } from "./body.ts";
import { HttpProblem } from "./problem.ts";

/** What came back, decompressed. */
export interface Exchanged {
  readonly status: number;
  /** Lower-case names; one that came several times is one with commas. */
  readonly headers: { readonly [name: string]: string | undefined };
  readonly body: Uint8Array;
}
export interface ExchangeLimits {
  readonly aborted: Aborted;
  /** Of the body, as it travels and decompressed. */
  readonly maxBytes: number;
  /** What the connection's own errors are for whoever asked. */
  readonly problemOf: (error: unknown, aborted: Aborted) => HttpProblem;
}

/**
 * One request and the whole of its answer. No stream lies in between: an answer is read to its end or not at all, and
 * a stream for each costs more than the answer. Rejects with what broke it off, at once where the caller gives up.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  limits: ExchangeLimits,
): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    const reading = new Reading(limits, resolve, reject);
    if (limits.aborted.aborted) return reading.giveUp();
    try {
      dispatcher.dispatch(request, reading);
    } catch (error) {
      reading.fail(error);
    }
  });
}

/** Reads one answer. One object for everything that happens to it: there is one of these for every request. */
class Reading implements Dispatcher.DispatchHandler {
  readonly #limits: ExchangeLimits;
  readonly #resolve: (answer: Exchanged | Promise<Exchanged>) => void;
  readonly #reject: (error: HttpProblem) => void;
  readonly giveUp = (): void => this.#breakOff(new HttpProblem("given up", "was given up"));
  #controller: Dispatcher.DispatchController | undefined;
  #ended = false;
  #status = 0;
  #headers: Exchanged["headers"] = {};
  #body: Uint8Array | undefined;
  /** Where the body came in more than one piece: all of them. */
  #pieces: Uint8Array[] | undefined;
  #size = 0;
  constructor(
    limits: ExchangeLimits,
    resolve: (answer: Exchanged | Promise<Exchanged>) => void,
    reject: (error: HttpProblem) => void,
  ) {
    this.#limits = limits;
    this.#resolve = resolve;
    this.#reject = reject;
    limits.aborted.addEventListener("abort", this.giveUp, { once: true });
  }

  onRequestStart(started: Dispatcher.DispatchController): void {
    this.#controller = started;
    if (this.#ended) started.abort(new HttpProblem("given up", "was given up")); // while it waited for a connection
  }

  onResponseStart(_: unknown, status: number, received: Received): void {
    if (status < 200) return; // informational: the answer is still to come
    this.#status = status;
    this.#headers = flatten(received);
  }

  onResponseData(_: unknown, piece: Uint8Array): void {
    const { maxBytes } = this.#limits;
    this.#size += piece.byteLength;
    if (this.#size > maxBytes) {
      this.#breakOff(new HttpProblem("too large", `answered with more than ${inWords(maxBytes)}`));
    } else if (!this.#body) this.#body = piece;
    else if (this.#pieces) this.#pieces.push(piece);
    else this.#pieces = [this.#body, piece];
  }

  onResponseEnd(): void {
    if (!this.#end()) return;
    const [status, headers] = [this.#status, this.#headers];
    // Most answers come in one piece, which nobody else holds.
    const body = this.#pieces ? Buffer.concat(this.#pieces, this.#size) : (this.#body ?? nothing);
    const encoding = headers["content-encoding"];
    if (encoding === undefined) this.#resolve({ status, headers, body });
    else
      this.#resolve(
        decompress(body, encoding, this.#limits.maxBytes).then((plain) => ({ status, headers, body: plain })),
      );
  }

  onResponseError(_: unknown, error: Error): void {
    this.fail(error);
  }

  fail(error: unknown): void {
    const { problemOf, aborted } = this.#limits;
    if (this.#end()) this.#reject(problemOf(error, aborted));
  }

  /** The connection goes with it: the rest is not read to be thrown away. */
  #breakOff(error: HttpProblem): void {
    this.fail(error);
    this.#controller?.abort(error);
  }

  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#limits.aborted.removeEventListener("abort", this.giveUp);
    return true;
  }
}

const nothing = new Uint8Array();

type Received = { readonly [name: string]: string | string[] | undefined };

/** undici gives names in lower case, and a list for one that came several times. */
function flatten(received: Received): Exchanged["headers"] {
  for (const name in received) {
    if (!Array.isArray(received[name])) continue;
    return Object.fromEntries(
      Object.entries(received).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]),
    );
  }
  return received as Exchanged["headers"]; // no value of it is a list
}
