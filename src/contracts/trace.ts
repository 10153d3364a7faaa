/** What a span is, in the words of the three layers. */
export type SpanKind = "request" | "operation" | "run" | "step" | "view" | "source" | "append";
export type Attributes = { readonly [name: string]: string | number | boolean | undefined };

/** A place in a trace (W3C Trace Context), handed from caller to callee. Nothing is global: two backends in one process do not mix. */
export interface Trace {
  /** `00-<trace id>-<span id>-<flags>`, for the wire and for the journal. */
  readonly traceparent: string;
  /** Nobody hears of spans below this place: what would have to be worked out to tell of them need not be. */
  readonly unheard?: true;
  /**
   * Measures some work as a span below this place, and gives what it gives: work that may be done at once takes no promise
   * for being measured. What it throws, or its promise is rejected with, is recorded and thrown on.
   */
  span<R>(kind: SpanKind, name: string, attributes: Attributes, work: (inside: Span) => R): R;
}

/** A span that is open: more can be said about it until its work ends. */
export interface Span extends Trace {
  set(attributes: Attributes): void;
  event(name: string, attributes?: Attributes): void;
}

/** Where traces begin, and go on after a hop or a restart. */
export interface Tracing {
  begin(): Trace;
  continue(traceparent: string): Trace;
}

const unsampled = "00-00000000000000000000000000000000-0000000000000000-00";
/** A trace that measures nothing. */
export const silent: Span = Object.freeze({
  traceparent: unsampled,
  span: <R>(_kind: SpanKind, _name: string, _attributes: Attributes, work: (inside: Span) => R) => work(silent),
  set: () => {},
  event: () => {},
});
export const silentTracing: Tracing = Object.freeze({ begin: () => silent, continue: () => silent });
