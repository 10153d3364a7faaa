import { type Hello, readHello } from "../model/hello.ts";
import { readSpan, type SpanRecord } from "../model/span.ts";

export type Connection =
  | { readonly is: "connecting" }
  | { readonly is: "live" }
  | { readonly is: "lost"; readonly attempt: number };

export interface FeedListener {
  hello(hello: Hello): void;
  span(span: SpanRecord): void;
  connection(state: Connection): void;
}

/**
 * The backend's live feed. An EventSource reconnects by itself, but gives up for good on an error page and waits for
 * seconds on a refused connection; after a crash the first try should come at once, so every connection is our own.
 */
export class Feed {
  readonly #url: string;
  readonly #listener: FeedListener;
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;

  constructor(url: string, listener: FeedListener) {
    this.#url = url;
    this.#listener = listener;
  }

  start(): void {
    this.#source?.close();
    const source = new EventSource(this.#url);
    this.#source = source;
    source.addEventListener("hello", (event) => {
      const hello = readHello(parse(event.data));
      if (!hello) return;
      this.#attempt = 0;
      this.#listener.hello(hello);
      this.#listener.connection({ is: "live" });
    });
    source.addEventListener("span", (event) => {
      const span = readSpan(parse(event.data));
      if (span) this.#listener.span(span);
    });
    source.onerror = () => {
      source.close();
      this.#attempt += 1;
      this.#listener.connection({ is: "lost", attempt: this.#attempt });
      this.#timer = setTimeout(() => this.start(), delayMs(this.#attempt));
    };
  }

  /** Tries again now instead of later. */
  retry(): void {
    clearTimeout(this.#timer);
    this.start();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
  }
}

/** 200 ms, growing by half each time up to 4 s, with some disorder so that many pages do not knock at once. */
const delayMs = (attempt: number): number => Math.min(200 * 1.5 ** (attempt - 1), 4000) * (0.85 + 0.3 * Math.random());

function parse(data: unknown): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return undefined;
  }
}
