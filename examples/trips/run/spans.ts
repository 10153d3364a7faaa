/** A span as the console's feed tells it. */
export interface Span {
  readonly trace: string;
  readonly span: string;
  readonly parent?: string;
  readonly kind: string;
  readonly name: string;
  readonly startMs: number;
  readonly endMs?: number;
  readonly status: "open" | "ok" | "failed";
  readonly attributes: { readonly [name: string]: string | number | boolean };
  readonly events: readonly { readonly name: string; readonly attributes?: { readonly [name: string]: unknown } }[];
  readonly problem?: { readonly code: string; readonly title: string };
}

const overdueMs = 3_000;
/** The feed does not say where its history ends; a trace that is over and of which nothing more comes for so long is whole. */
const quietMs = 100;

/** What one trace consists of, read from the same feed that the console draws. */
export async function readTrace(url: string, trace: string): Promise<readonly Span[]> {
  const enough = new AbortController();
  const stop = (): void => enough.abort();
  const overdue = setTimeout(stop, overdueMs);
  let quiet: NodeJS.Timeout | undefined;
  const spans = new Map<string, Span>();
  try {
    for await (const span of readFeed(url, enough.signal)) {
      if (span.trace !== trace) continue;
      spans.set(span.span, span);
      clearTimeout(quiet);
      if (isOver([...spans.values()])) quiet = setTimeout(stop, quietMs);
    }
  } catch (error) {
    if (!enough.signal.aborted) throw error;
  } finally {
    clearTimeout(overdue);
    clearTimeout(quiet);
  }
  return [...spans.values()].sort((a, b) => a.startMs - b.startMs);
}

const isOver = (spans: readonly Span[]): boolean =>
  spans.some(({ parent }) => parent === undefined) && spans.every(({ endMs }) => endMs !== undefined);

async function* readFeed(url: string, signal: AbortSignal): AsyncGenerator<Span> {
  const { body } = await fetch(`${url}/console/feed`, { signal });
  let text = "";
  for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const messages = text.split("\n\n");
    text = messages.pop() ?? "";
    for (const message of messages) {
      const [event, data] = message.split("\n");
      if (event === "event: span" && data) yield JSON.parse(data.replace(/^data: /, "")) as Span;
    }
  }
}
