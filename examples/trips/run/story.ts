import type { Span } from "./spans.ts";

/** A trace as a tree of lines: what was done in which layer, for how long, and what went wrong on the way. */
export function tellTrace(spans: readonly Span[]): string {
  const known = new Set(spans.map(({ span }) => span));
  const below = (parent: string | undefined): readonly Span[] =>
    spans.filter((span) =>
      span.parent !== undefined && known.has(span.parent) ? span.parent === parent : parent === undefined,
    );
  const lines: string[] = [];
  const tell = (span: Span, depth: number): void => {
    lines.push(lineOf(span, depth));
    for (const event of span.events) {
      const { attempt, problem } = event.attributes ?? {};
      if (event.name === "attempt failed")
        lines.push(`${" ".repeat(27)}${"  ".repeat(depth)}attempt ${attempt} failed: ${problem}`);
    }
    for (const child of below(span.span)) tell(child, depth + 1);
  };
  for (const root of below(undefined)) tell(root, 0);
  return lines.join("\n");
}

function lineOf({ kind, name, startMs, endMs, status, attributes, problem }: Span, depth: number): string {
  const ms = endMs === undefined ? "…" : `${(endMs - startMs).toFixed(1)} ms`;
  const mark = status === "failed" ? "✗" : status === "open" ? "…" : "✓";
  const stepKind = attributes["trilith.step.kind"];
  const said = [
    stepKind === "undo" ? "(undo)" : undefined,
    attributes["trilith.position"] !== undefined ? `position ${attributes["trilith.position"]}` : undefined,
    attributes["trilith.state"] !== undefined && kind === "source" ? `${attributes["trilith.state"]}` : undefined,
    status === "failed" ? problem : undefined,
  ].filter((word) => word !== undefined);
  return `  ${mark} ${ms.padStart(10)}  ${kind.padEnd(10)} ${"  ".repeat(depth)}${name}${said.length > 0 ? `  ${said.join(", ")}` : ""}`;
}

export interface Page {
  readonly data: { readonly [field: string]: unknown };
  readonly meta: {
    readonly fields: {
      readonly [field: string]: {
        readonly state: string;
        readonly source?: string;
        readonly rule: string;
        readonly rejected?: readonly { readonly source: string; readonly value: unknown }[];
      };
    };
    readonly sources: {
      readonly [source: string]: { readonly state: string; readonly ms: number; readonly problem?: string };
    };
  };
}

/** A page with its provenance: each field, where it is from, and what was not taken. */
export function tellPage({ data, meta }: Page): string {
  const fields = Object.entries(meta.fields).map(([field, { state, source, rule, rejected = [] }]) => {
    const value = short(data[field]);
    const others = rejected.map((other) => `\n${" ".repeat(14)}not ${other.source}: ${short(other.value)}`);
    return `  ${field.padEnd(10)}  ${value}\n${" ".repeat(14)}${state}, ${rule}${source === undefined ? "" : ` from ${source}`}${others.join("")}`;
  });
  const sources = Object.entries(meta.sources).map(
    ([source, { state, ms, problem }]) =>
      `  ${source.padEnd(12)} ${state.padEnd(8)} ${ms.toFixed(1).padStart(7)} ms${problem === undefined ? "" : `  ${problem}`}`,
  );
  return `${fields.join("\n")}\n\n${sources.join("\n")}`;
}

function short(value: unknown): string {
  if (Array.isArray(value)) return `${value.length} items, first ${short(value[0])}`;
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > 90 ? `${text.slice(0, 89)}…` : text;
}
