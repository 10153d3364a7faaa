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
  readonly problem?: string;
}

/** What one trace consists of, read from the same feed that the console draws. */
export async function readTrace(url: string, trace: string): Promise<readonly Span[]> {
  const enough = new AbortController();
  const spans = new Map<string, Span>();
  const overdue = setTimeout(() => enough.abort(), 3_000);
  try {
    const response = await fetch(`${url}/console/feed`, { signal: enough.signal });
    let text = "";
    for await (const bytes of response.body ?? []) {
      text += Buffer.from(bytes).toString();
      const messages = text.split("\n\n");
      text = messages.pop() ?? "";
      for (const message of messages) take(message, trace, spans);
      const mine = [...spans.values()];
      if (
        mine.some(({ parent, endMs }) => parent === undefined && endMs !== undefined) &&
        mine.every(({ endMs }) => endMs !== undefined)
      )
        break;
    }
  } catch (error) {
    if (!enough.signal.aborted) throw error;
  } finally {
    clearTimeout(overdue);
    enough.abort();
  }
  return [...spans.values()].sort((a, b) => a.startMs - b.startMs);
}

function take(message: string, trace: string, spans: Map<string, Span>): void {
  const lines = message.split("\n");
  if (!lines.includes("event: span")) return;
  const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
  const span = JSON.parse(data.join("\n")) as Span;
  if (span.trace === trace) spans.set(span.span, span);
}
