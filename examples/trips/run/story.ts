import { colourOf, paint } from "./paint.ts";
import type { Span } from "./spans.ts";

/** A trace as a tree of lines: what was done in which layer, for how long, and what went wrong on the way. */
export function tellTrace(spans: readonly Span[]): string {
  const lines = treeOf(spans);
  const width = Math.max(...lines.map(({ span, depth }) => 2 * depth + nameOf(span).length));
  return lines
    .flatMap(({ span, depth }) => [
      `  ${markOf(span)} ${paint(colourOf(span.kind), kindOf(span).padEnd(8))} ` +
        `${"  ".repeat(depth)}${nameOf(span).padEnd(width - 2 * depth)} ${tookOf(span)}${notesOf(span)}`,
      ...attemptsOf(span).map((said) => `             ${"  ".repeat(depth + 1)}${paint("red", said)}`),
    ])
    .map((line) => line.trimEnd())
    .join("\n");
}

interface Line {
  readonly span: Span;
  readonly depth: number;
}
function treeOf(spans: readonly Span[]): readonly Line[] {
  const known = new Set(spans.map(({ span }) => span));
  const parentOf = ({ parent }: Span): string | undefined =>
    parent !== undefined && known.has(parent) ? parent : undefined;
  const below = (parent: string | undefined, depth: number): readonly Line[] =>
    spans
      .filter((span) => parentOf(span) === parent)
      .flatMap((span) => [{ span, depth }, ...below(span.span, depth + 1)]);
  return below(undefined, 0);
}

const markOf = ({ kind, status, attributes }: Span): string => {
  if (status === "open") return "…";
  const state = attributes["trilith.state"];
  const poor = kind === "source" && state !== "fresh" && state !== "stale";
  return status === "failed" || poor ? paint("red", "✗") : paint("green", "✓");
};

const kindOf = ({ kind, attributes }: Span): string => {
  if (kind === "operation") return attributes["http.request.method"] === undefined ? "call" : "http";
  return attributes["trilith.step.kind"] === "undo" ? "undo" : kind;
};

const nameOf = ({ kind, name, attributes }: Span): string =>
  kind === "append" ? `log ${attributes["trilith.log"]}` : name.replace(/^undo /, "");

const tookOf = ({ startMs, endMs }: Span): string =>
  (endMs === undefined ? "still open" : `${(endMs - startMs).toFixed(1)} ms`).padStart(10);

function notesOf({ kind, status, attributes, problem }: Span): string {
  const position = attributes["trilith.position"];
  const notes = [
    kind === "append" && position !== undefined ? `up to position ${position}` : undefined,
    kind === "source" ? attributes["trilith.state"] : undefined,
    status === "failed" && problem ? problem.code : undefined,
  ].filter((note) => note !== undefined);
  return notes.length > 0 ? paint(status === "failed" ? "red" : "gray", `  ${notes.join(", ")}`) : "";
}

const attemptsOf = ({ events }: Span): readonly string[] =>
  events
    .filter(({ name }) => name === "attempt failed")
    .map(({ attributes }) => `attempt ${attributes?.attempt}: ${attributes?.problem}`);

export interface Page {
  readonly data: { readonly [field: string]: unknown };
  readonly meta: {
    readonly fields: {
      readonly [field: string]: {
        readonly state: string;
        readonly source?: string;
        readonly sources?: readonly string[];
        readonly rule: string;
        readonly rejected: readonly { readonly source: string; readonly value?: unknown; readonly why: string }[];
      };
    };
    readonly sources: {
      readonly [source: string]: { readonly state: string; readonly ms: number; readonly problem?: string };
    };
  };
}

/** A page with its provenance: each field, where it is from, and what was not taken and why. */
export function tellPage({ data, meta }: Page): string {
  const width =
    Math.max(...[...Object.keys(meta.fields), ...Object.keys(meta.sources)].map(({ length }) => length)) + 2;
  const indent = " ".repeat(2 + width);
  const fields = Object.entries(meta.fields).flatMap(([field, { state, source, sources, rule, rejected }]) => [
    `  ${paint("bold", field.padEnd(width))}${short(data[field])}`,
    `${indent}${toned(state)} from ${[source ?? sources ?? "nobody"].flat().join(", ")}, by ${paint("gray", rule)}`,
    ...rejected.map((other) => `${indent}${paint("gray", `not ${other.source}: ${reasonOf(other)}`)}`),
  ]);
  const sources = Object.entries(meta.sources).map(
    ([source, { state, ms, problem }]) =>
      `  ${paint("bold", source.padEnd(width))}${toned(state.padEnd(8))}${ms.toFixed(1).padStart(6)} ms  ${problem ?? ""}`,
  );
  return [...fields, "", ...sources].map((line) => line.trimEnd()).join("\n");
}

const reasonOf = ({ value, why }: { readonly value?: unknown; readonly why: string }): string =>
  value === undefined ? why : `${short(value)}, ${why}`;

const toned = (state: string): string => {
  const word = state.trim();
  return paint(word === "fresh" ? "green" : word === "stale" || word === "default" ? "yellow" : "red", state);
};

/** A value for a person: the first of many, and no more digits of a coordinate than anybody reads. */
function short(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `${value.length}, first ${short(value[0])}`;
  if (typeof value === "number") return String(Number(value.toFixed(4)));
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .map(([name, part]) => `${name} ${short(part)}`)
    .join(", ");
}
