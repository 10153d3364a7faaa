/**
 * Telemetry: the contracts' words for traces, spoken over OpenTelemetry. The console's time line and an OTLP collector
 * are told of the same spans. Imports contracts and OpenTelemetry; registers nothing globally, so two backends in one
 * process stay apart. Start with open-telemetry.ts, then trace.ts and span-feed.ts.
 */
export { openTelemetry, type Telemetry, type TelemetryOptions } from "./open-telemetry.ts";
export type { SpanFeed } from "./span-feed.ts";
export type { SpanProblem, SpanRecord } from "./span-record.ts";
