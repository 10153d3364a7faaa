import { type Layer, layerOf, layers } from "./layer.ts";
import type { SeenSpan } from "./span.ts";
import { isRest, runId, stateOf } from "./state.ts";
import { inOrder, type Trace } from "./trace.ts";

export type Shares = Readonly<Record<Layer, number>>;

/** How long each layer was at work, in milliseconds. An instant belongs to the innermost span; waiting belongs to nobody. */
export function sharesOf(trace: Trace): Shares {
  const shares: Record<Layer, number> = { gateway: 0, orchestration: 0, aggregation: 0, storage: 0, remote: 0 };
  const spans = inOrder(trace);
  const depths = depthsOf(trace);
  const endOf = (span: SeenSpan) => span.endMs ?? trace.lastMs;
  const idle = idleIn(trace, spans);
  const waits = (inner: SeenSpan, from: number): boolean =>
    isRest(inner) || (isCaller(inner) && idle.some(({ fromMs, toMs }) => from >= fromMs && from < toMs));
  const instants = [...new Set(spans.flatMap((span) => [span.startMs, endOf(span)]))].sort((a, b) => a - b);
  let begun = 0;
  let active: SeenSpan[] = [];
  for (const [i, from] of instants.entries()) {
    const to = instants[i + 1];
    if (to === undefined) break;
    for (let next = spans[begun]; next && next.startMs <= from; next = spans[begun]) {
      active.push(next);
      begun += 1;
    }
    active = active.filter((span) => endOf(span) > from);
    const inner = innermost(active, depths);
    if (inner && !waits(inner, from)) shares[layerOf(inner)] += to - from;
  }
  return shares;
}

/** When a run was in nobody's hands: its caller still waits, and does nothing. */
function idleIn(trace: Trace, spans: readonly SeenSpan[]): { readonly fromMs: number; readonly toMs: number }[] {
  const waiting = stateOf(trace) === "waiting";
  const activations = Map.groupBy(
    spans.filter(({ kind }) => kind === "run"),
    runId,
  );
  return [...activations.values()].flatMap((some) =>
    some.flatMap(({ endMs }, i) => {
      const toMs = some[i + 1]?.startMs ?? (waiting ? Number.POSITIVE_INFINITY : undefined);
      return endMs === undefined || toMs === undefined ? [] : [{ fromMs: endMs, toMs }];
    }),
  );
}
const isCaller = ({ kind }: SeenSpan): boolean => kind === "request" || kind === "operation";

export const busyMs = (shares: Shares): number => layers.reduce((sum, layer) => sum + shares[layer], 0);

function innermost(active: readonly SeenSpan[], depths: ReadonlyMap<string, number>): SeenSpan | undefined {
  let inner: SeenSpan | undefined;
  for (const span of active) if (!inner || (depths.get(span.span) ?? 0) >= (depths.get(inner.span) ?? 0)) inner = span;
  return inner;
}

function depthsOf(trace: Trace): Map<string, number> {
  const depths = new Map<string, number>();
  const depth = (span: SeenSpan, hops: number): number => {
    const known = depths.get(span.span);
    if (known !== undefined) return known;
    const parent = span.parent === undefined ? undefined : trace.spans.get(span.parent);
    // Bounded, so that parents in a circle (a bug elsewhere) do not hang the page.
    const found = parent && hops < 64 ? depth(parent, hops + 1) + 1 : 0;
    depths.set(span.span, found);
    return found;
  };
  for (const span of trace.spans.values()) depth(span, 0);
  return depths;
}
