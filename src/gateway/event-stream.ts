import type { ServerResponse } from "node:http";

/** Server-sent events to one listener. */
export interface EventStream {
  send(event: string, data: unknown): void;
  /** Of what waits under one key, only the latest is sent. */
  sendLatest(event: string, key: string, data: unknown): void;
  end(): void;
}

const heartbeatMs = 15_000;
const mostWaiting = 10_000;

/**
 * Writes as fast as the listener reads and no faster: what it is too slow for waits, the latest of each key only, and
 * beyond 10,000 keys the oldest is dropped. So a listener that sleeps costs a bounded amount of memory.
 */
export function createEventStream(response: ServerResponse): EventStream {
  const waiting = new Map<string, { readonly event: string; readonly data: unknown }>();
  let blocked = false;
  let scheduled = false;

  const write = (text: string): void => {
    if (!response.writableEnded && !response.destroyed) blocked = !response.write(text);
  };
  const flush = (): void => {
    scheduled = false;
    for (const [key, { event, data }] of waiting) {
      if (blocked) return;
      waiting.delete(key);
      write(toText(event, data));
    }
  };
  const schedule = (): void => {
    if (scheduled || blocked) return;
    scheduled = true;
    setImmediate(flush);
  };

  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  write("retry: 500\n\n");
  response.on("drain", () => {
    blocked = false;
    flush();
  });
  const heartbeat = setInterval(() => {
    if (!blocked) write(": still here\n\n");
  }, heartbeatMs);
  response.once("close", () => {
    clearInterval(heartbeat);
    waiting.clear();
  });

  return {
    send: (event, data) => write(toText(event, data)),
    sendLatest(event, key, data) {
      waiting.set(key, { event, data });
      if (waiting.size > mostWaiting) {
        const [oldest] = waiting.keys();
        if (oldest !== undefined) waiting.delete(oldest);
      }
      schedule();
    },
    end: () => void response.end(),
  };
}

// JSON has no line breaks of its own, so one data line is enough.
const toText = (event: string, data: unknown): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
