import { plural } from "../format.ts";
import { isHop } from "../model/layer.ts";
import type { SpanKind } from "../model/span.ts";
import { latestSpan, type Row } from "../timeline/rows.ts";

/** What a row is, for the column of names. */
export function kindOf(row: Row): string {
  if (row.undo !== undefined) return "undo";
  if (isHop(latestSpan(row))) return "http";
  const step = row.kind === "step" ? latestSpan(row).attributes["trilith.step.kind"] : undefined;
  return step === "signal" || step === "sleep" || step === "local" || step === "fallback" ? step : kindWords[row.kind];
}

const kindWords: Readonly<Record<SpanKind, string>> = {
  request: "request",
  operation: "call",
  run: "run",
  step: "step",
  view: "view",
  source: "source",
  append: "append",
};

/** The one thing about a row that its bar does not say. */
export function outcome(row: Row): { readonly words: string; readonly tone: "bad" | "odd" | "quiet" } | undefined {
  const span = latestSpan(row);
  const { attributes, problem, status } = span;
  const state = attributes["trilith.state"];
  if (row.kind === "source" && typeof state === "string" && state !== "fresh")
    return { words: state, tone: state === "stale" ? "odd" : "bad" };
  if (status === "failed") {
    const answered = isHop(span) ? attributes["http.response.status_code"] : undefined;
    const code = String(answered ?? problem?.code ?? "failed");
    return { words: row.attempts > 1 ? `${code} · ${plural(row.attempts, "attempt")}` : code, tone: "bad" };
  }
  if (status === "cut") return { words: "interrupted", tone: "bad" };
  if (row.fellBack)
    return { words: row.attempts > 1 ? `fell back · ${plural(row.attempts, "attempt")}` : "fell back", tone: "odd" };
  if (row.kind === "step" && row.spans.some(({ status }) => status === "cut") && !row.rests)
    return { words: "resumed", tone: "odd" };
  if (row.kind === "step" && row.attempts > 1) return { words: plural(row.attempts, "attempt"), tone: "odd" };
  if (row.kind === "run" && row.spans.some(({ status }) => status === "cut")) return { words: "resumed", tone: "odd" };
  if (row.rests && status === "open") return { words: "waiting", tone: "quiet" };
  const code = attributes["http.response.status_code"];
  return row.kind === "request" && code !== undefined ? { words: String(code), tone: "quiet" } : undefined;
}
