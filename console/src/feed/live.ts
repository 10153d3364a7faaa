import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { observeDelay, skewFrom } from "../model/skew.ts";
import type { SpanRecord } from "../model/span.ts";
import { apply, emptyWorld, type Message, type World } from "../model/world.ts";
import { type Connection, Feed } from "./feed.ts";
import { type Pulse, wayOf } from "./pulse.ts";

const batchMs = 120;
const tickMs = 250;
const pulsesPerBatch = 10;
const pulsesAtOnce = 40;
/** What is older than this when it arrives is history, and sends no pulse. */
const newsMs = 3_000;

/** The page's state, kept up to date from the feed in batches: a thousand spans a second redraw no more often than ten. */
export class Live {
  readonly world: Signal<World> = signal(emptyWorld);
  readonly connection: Signal<Connection> = signal<Connection>({ is: "connecting" });
  readonly pulses: Signal<readonly Pulse[]> = signal([]);
  /** The trace that somebody looks at: it is never forgotten. */
  readonly chosen: Signal<string | undefined> = signal(undefined);
  readonly crashing: Signal<boolean> = signal(false);
  readonly #tick = signal(Date.now());
  readonly #skewMs = signal(0);
  /** The backend's time, four times a second; it stands still while the backend is gone. */
  readonly now: ReadonlySignal<number> = computed(
    () => this.world.value.lostMs ?? this.#tick.value - this.#skewMs.value,
  );
  readonly #feed: Feed;
  #waiting: Message[] = [];
  #flushing: ReturnType<typeof setTimeout> | undefined;
  #ticking: ReturnType<typeof setInterval> | undefined;
  #smallestDelayMs: number | undefined;
  #pulse = 0;

  constructor(url: string) {
    this.#feed = new Feed(url, {
      hello: (hello) => {
        this.crashing.value = false;
        this.#take({ type: "hello", hello, atMs: Date.now() - this.#skewMs.peek() });
      },
      span: (span) => this.#take({ type: "span", span }),
      connection: (state) => {
        if (state.is === "lost") this.#take({ type: "lost", atMs: this.time() });
        this.connection.value = state;
      },
    });
  }

  start(): void {
    this.#feed.start();
    this.#ticking = setInterval(() => {
      this.#tick.value = Date.now();
    }, tickMs);
  }

  stop(): void {
    this.#feed.stop();
    clearInterval(this.#ticking);
    clearTimeout(this.#flushing);
  }

  retry(): void {
    this.#feed.retry();
  }

  /** The backend's time now, to the millisecond. */
  time(): number {
    return this.world.peek().lostMs ?? Date.now() - this.#skewMs.peek();
  }

  /** Kills the backend. That the answer never comes is the point. */
  async crash(): Promise<void> {
    this.crashing.value = true;
    const body = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
    const answer = await fetch("/console/crash", body).catch(() => undefined);
    if (answer && !answer.ok) this.crashing.value = false;
  }

  arrived(pulse: number): void {
    this.pulses.value = this.pulses.value.filter(({ id }) => id !== pulse);
  }

  #take(message: Message): void {
    this.#waiting.push(message);
    this.#flushing ??= setTimeout(() => this.#flush(), batchMs);
  }

  #flush(): void {
    this.#flushing = undefined;
    const messages = this.#waiting;
    this.#waiting = [];
    const before = this.world.peek();
    this.#learnSkew(messages, before);
    this.world.value = apply(before, messages, this.time(), this.chosen.peek());
    this.#tick.value = Date.now();
    if (!document.hidden) this.#sendPulses(messages, before);
  }

  #learnSkew(messages: readonly Message[], before: World): void {
    const receivedMs = Date.now();
    for (const message of messages) {
      if (message.type !== "span" || message.span.endMs === undefined) continue;
      // Only a span that was seen open and now is not ended just now; the others may be history.
      const was = before.traces.get(message.span.trace)?.spans.get(message.span.span);
      if (was?.status === "open")
        this.#smallestDelayMs = observeDelay(this.#smallestDelayMs, receivedMs, message.span.endMs);
    }
    this.#skewMs.value = skewFrom(this.#smallestDelayMs);
  }

  #sendPulses(messages: readonly Message[], before: World): void {
    const since = this.time() - newsMs;
    const fresh = messages.flatMap((message) =>
      message.type === "span" && isNew(message.span, before, since) ? message.span : [],
    );
    const first = new Map(fresh.map((span) => [span.span, span]));
    const pulses: Pulse[] = [];
    for (const span of first.values()) {
      const way = wayOf(span);
      if (way && pulses.length < pulsesPerBatch)
        pulses.push({ id: this.#pulse++, way, failed: span.status === "failed" });
    }
    if (pulses.length > 0) this.pulses.value = [...this.pulses.value, ...pulses].slice(-pulsesAtOnce);
  }
}

const isNew = (span: SpanRecord, before: World, sinceMs: number): boolean =>
  span.startMs >= sinceMs && !before.traces.get(span.trace)?.spans.has(span.span);
