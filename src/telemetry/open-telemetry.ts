import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  RandomIdGenerator,
  type SpanExporter,
  type SpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { Tracing } from "../contracts/index.ts";
import { createSpanFeed, type SpanFeed } from "./span-feed.ts";
import { createTracing } from "./trace.ts";
import { createUnheard } from "./unheard.ts";
import { createWallClock } from "./wall-clock.ts";

export interface Telemetry {
  readonly tracing: Tracing;
  /** What the console draws. */
  readonly feed: SpanFeed;
  /** Sends what is left to the collector, for two seconds at most. Never fails. */
  close(): Promise<void>;
}

export interface TelemetryOptions {
  readonly service: string;
  readonly version: string;
  /** An OTLP/HTTP collector, like `http://localhost:4318`. `/v1/traces` is added where the address has no path. */
  readonly otlpUrl?: string;
  /** How many traces the feed remembers, 200 without it. With 0 and no collector nothing is measured. */
  readonly keep?: number;
  /** Told one sentence when spans begin to get lost on the way to the collector, and one when they arrive again. */
  readonly onExport?: (sentence: string, failure?: Error) => void;
}

const closeWithinMs = 2_000;
const exportWithinMs = 5_000;

/** Opens a tracer of its own: nothing is registered globally, and where a span belongs is always handed on explicitly. */
export function openTelemetry(options: TelemetryOptions): Telemetry {
  const { keep = 200 } = options;
  const { feed, processor, eventAdded } = createSpanFeed({ keep });
  const processors: SpanProcessor[] = keep > 0 ? [processor] : [];
  if (options.otlpUrl !== undefined) {
    processors.push(new BatchSpanProcessor({ exporter: toExporter(options.otlpUrl, options.onExport) }));
  }
  const ids = new RandomIdGenerator();
  if (processors.length === 0) return Object.freeze({ tracing: createUnheard(ids), feed, close: async () => {} });
  let traceId: string | undefined;
  const provider = new TracerProvider({
    // Everything is recorded, whatever the caller's sampling flag says: the console has no other source.
    sampler: new AlwaysOnSampler(),
    resource: resourceFromAttributes({ "service.name": options.service, "service.version": options.version }),
    // A root span takes the trace id that was given out when its trace began; see Tracing.begin().
    idGenerator: {
      generateTraceId: () => traceId ?? ids.generateTraceId(),
      generateSpanId: () => ids.generateSpanId(),
    },
    spanProcessors: processors,
  });
  const tracing = createTracing({
    tracer: provider.getTracer("trilith", options.version),
    now: createWallClock(),
    eventAdded,
    ids,
    withTraceId(id, start) {
      traceId = id;
      try {
        return start();
      } finally {
        traceId = undefined;
      }
    },
  });
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= within(closeWithinMs, provider.shutdown());
    return closed;
  };
  return Object.freeze({ tracing, feed, close });
}

function toExporter(otlpUrl: string, onExport: TelemetryOptions["onExport"]): SpanExporter {
  const url = new URL(otlpUrl);
  if (url.pathname === "/") url.pathname = "/v1/traces";
  // Only where there is a collector: its hundred modules are a fifth of what a start without one would take.
  const loaded = import("@opentelemetry/exporter-trace-otlp-http").then(
    ({ OTLPTraceExporter }) => new OTLPTraceExporter({ url: url.href, timeoutMillis: exportWithinMs }),
  );
  let losing = false;
  return {
    export(spans, done) {
      const tell: typeof done = (result) => {
        const failed = result.code !== 0;
        if (failed && !losing) onExport?.("Spans are lost: the OTLP collector does not take them.", result.error);
        if (!failed && losing) onExport?.("Spans arrive at the OTLP collector again.");
        losing = failed;
        done(result);
      };
      loaded.then(
        (exporter) => exporter.export(spans, tell),
        (error: Error) => tell({ code: 1, error }),
      );
    },
    forceFlush: async () => (await loaded).forceFlush(),
    shutdown: async () => (await loaded).shutdown(),
  };
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => {}), late]);
  clearTimeout(timer);
}
