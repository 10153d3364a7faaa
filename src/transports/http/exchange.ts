import type { Dispatcher } from "undici";
import { inWords } from "./body.ts";
import { HttpProblem } from "./problem.ts";

/** What came back, as it came: not decompressed yet. */
export interface Exchanged {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | undefined };
  readonly body: Uint8Array;
}
export interface ExchangeLimits {
  readonly aborted: AbortSignal;
  /** Of the body, as it travels. */
  readonly maxBytes: number;
}

/**
 * One request and the whole of its answer. No stream lies in between: an answer is read to its end or not at all, and
 * a stream for each costs more than the answer. Rejects with what broke it off, at once where the caller gives up.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  { aborted, maxBytes }: ExchangeLimits,
): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let ended = false;
    let status = 0;
    let headers: Exchanged["headers"] = {};
    let size = 0;
    const chunks: Uint8Array[] = [];

    const end = (): boolean => {
      if (ended) return false;
      ended = true;
      aborted.removeEventListener("abort", giveUp);
      return true;
    };
    const fail = (error: unknown): void => {
      if (end()) reject(error);
    };
    /** The connection goes with it: the rest is not read to be thrown away. */
    const breakOff = (error: Error): void => {
      fail(error);
      controller?.abort(error);
    };
    const giveUp = (): void => breakOff(new HttpProblem("given up", "was given up"));

    if (aborted.aborted) return giveUp();
    aborted.addEventListener("abort", giveUp, { once: true });
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        controller = started;
        if (ended) started.abort(new HttpProblem("given up", "was given up")); // while it waited for a connection
      },
      onResponseStart(_, statusCode, received) {
        if (statusCode < 200) return; // informational: the answer is still to come
        status = statusCode;
        headers = flatten(received);
      },
      onResponseData(_, chunk) {
        size += chunk.byteLength;
        if (size > maxBytes) breakOff(new HttpProblem("too large", `answered with more than ${inWords(maxBytes)}`));
        else chunks.push(chunk);
      },
      onResponseEnd() {
        if (end()) resolve({ status, headers, body: toBody(chunks, size) });
      },
      onResponseError: (_, error) => fail(error),
    };
    try {
      dispatcher.dispatch(request, handler);
    } catch (error) {
      fail(error);
    }
  });
}

/** Most answers come in one piece, which nobody else holds. */
function toBody(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const [only] = chunks;
  return only && chunks.length === 1 ? only : Buffer.concat(chunks, size);
}

/** A header that came several times is one with commas. undici gives names in lower case. */
function flatten(headers: { readonly [name: string]: string | string[] | undefined }): Exchanged["headers"] {
  const flat: { [name: string]: string | undefined } = Object.create(null);
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    flat[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return flat;
}
