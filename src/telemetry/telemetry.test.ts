import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { Failed, Fault, failure, silent } from "../contracts/index.ts";
import { openTelemetry, type SpanRecord, type Telemetry, type TelemetryOptions } from "./index.ts";

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});
function open(options: Partial<TelemetryOptions> = {}): Telemetry {
  const telemetry = openTelemetry({ service: "trips", version: "1.0.0", ...options });
  opened.push(telemetry);
  return telemetry;
}
const done = async (): Promise<void> => {};

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code: number; readonly message?: string };
  readonly attributes: readonly { readonly key: string; readonly value: { readonly [type: string]: unknown } }[];
  readonly events: readonly { readonly name: string; readonly timeUnixNano: string }[];
}
interface Collector {
  readonly url: string;
  readonly server: Server;
  readonly spans: OtlpSpan[];
  readonly paths: string[];
  readonly resources: unknown[];
}
/** A collector that takes OTLP over HTTP, in JSON. */
async function collect(status: () => number = () => 200): Promise<Collector> {
  const spans: OtlpSpan[] = [];
  const paths: string[] = [];
  const resources: unknown[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    response.writeHead(status(), { "content-type": "application/json" }).end("{}");
    if (status() !== 200) return;
    paths.push(request.url ?? "");
    const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString());
    for (const { resource, scopeSpans } of resourceSpans) {
      resources.push(resource.attributes);
      for (const scope of scopeSpans) spans.push(...scope.spans);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  opened.push({ close: () => server.close() });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, spans, paths, resources };
}

test("the collector gets the spans that the console draws", async () => {
  const collector = await collect();
  const { tracing, feed, close } = open({ otlpUrl: collector.url });
  const SoldOut = failure(409, "No seat is left.");
  await tracing.begin().span("request", "POST /trips", { "http.request.method": "POST" }, async (request) => {
    await request.span("run", "trips.book", { attempt: 1, replayed: false }, async (run) => {
      run.event("suspended", { until: "tomorrow" });
      await Promise.all([
        run.span("step", "bookings.hold", {}, done),
        run
          .span("source", "fares", {}, () => Promise.reject(new Failed("fares.quote", "SoldOut", SoldOut)))
          .catch(done),
      ]);
      run.set({ result: "held" });
    });
  });
  await close();

  expect(collector.paths).toEqual(["/v1/traces"]);
  expect(collector.resources[0]).toContainEqual({ key: "service.name", value: { stringValue: "trips" } });
  const drawn = feed.recent();
  expect(drawn.map(({ kind }) => kind)).toEqual(["request", "run", "step", "source"]);
  const statuses = { open: -1, ok: 0, failed: 2 } as const;
  const said = (span: OtlpSpan, key: string): unknown =>
    Object.values(span.attributes.find((one) => one.key === key)?.value ?? {})[0];
  const toMs = (nano: string): number => Number(nano) / 1e6;
  expect(collector.spans).toHaveLength(drawn.length);
  for (const { trace, span, parent, name, kind, status, startMs, endMs, events, problem } of drawn) {
    const same = collector.spans.find(({ spanId }) => spanId === span) as OtlpSpan;
    expect([same.traceId, same.parentSpanId, same.name, said(same, "trilith.kind")]).toEqual([
      trace,
      parent,
      name,
      kind,
    ]);
    expect([same.status.code, same.status.message]).toEqual([statuses[status], problem?.title]);
    expect(toMs(same.startTimeUnixNano)).toBeCloseTo(startMs, 2);
    expect(toMs(same.endTimeUnixNano)).toBeCloseTo(endMs ?? 0, 2);
    expect(same.events.map((event) => event.name)).toEqual(events.map((event) => event.name));
  }
  const kinds = Object.fromEntries(collector.spans.map((span) => [said(span, "trilith.kind"), span.kind]));
  expect(kinds).toEqual({ request: 2, run: 1, step: 1, source: 3 });
});

test("spans that the collector does not take are told of, and an address with a path is used as it is", async () => {
  let status = 400;
  const collector = await collect(() => status);
  const told: string[] = [];
  for (const now of [400, 200]) {
    status = now;
    const { tracing, close } = open({
      otlpUrl: `${collector.url}/custom/path`,
      onExport: (sentence) => told.push(sentence),
    });
    await tracing.begin().span("run", "one", {}, done);
    await close();
  }
  expect(told).toEqual(["Spans are lost: the OTLP collector does not take them."]);
  expect(collector.paths).toEqual(["/custom/path"]);
});

test("a collector that is not there neither fails nor holds up the work", async () => {
  const { tracing, close } = open({ otlpUrl: "http://127.0.0.1:9" });
  expect(await tracing.begin().span("run", "one", {}, async () => 5)).toBe(5);
  await close();
});

test("a trace goes on after a restart under its id", async () => {
  const before = open();
  const { traceparent } = before.tracing.begin();
  const inside = await before.tracing.continue(traceparent).span("run", "first", {}, async (span) => span.traceparent);
  const after = open();
  await after.tracing.continue(inside).span("run", "resumed", {}, done);
  const [first, resumed] = [before.feed.recent()[0], after.feed.recent()[0]];
  expect(first?.trace).toBe(traceparent.slice(3, 35));
  expect(resumed).toMatchObject({ trace: first?.trace, parent: first?.span });
});

test("spans below a beginning are roots of the trace that it named", async () => {
  const { tracing, feed } = open();
  const trace = tracing.begin();
  await Promise.all([trace.span("request", "a", {}, done), trace.span("request", "b", {}, done)]);
  await tracing.begin().span("request", "c", {}, done);
  const [a, b, c] = feed.recent();
  expect([a?.trace, b?.trace]).toEqual([trace.traceparent.slice(3, 35), trace.traceparent.slice(3, 35)]);
  expect([a?.parent, b?.parent, c?.parent]).toEqual([undefined, undefined, undefined]);
  expect(c?.trace).not.toBe(a?.trace);
});

test.each([
  silent.traceparent,
  "",
  "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
  "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
  "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
  "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
])("%j is no place in a trace, so a new one begins", async (traceparent) => {
  const { tracing, feed } = open();
  await tracing.continue(traceparent).span("run", "one", {}, done);
  expect(feed.recent()[0]?.parent).toBeUndefined();
  expect(feed.recent()[0]?.trace).toMatch(/^(?!0af7)[\da-f]{32}$/i);
});

test("what a caller did not sample is drawn all the same", async () => {
  const { tracing, feed } = open();
  await tracing.continue("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00").span("run", "one", {}, done);
  expect(feed.recent()[0]).toMatchObject({ trace: "0af7651916cd43dd8448eb211c80319c", parent: "b7ad6b7169203331" });
});

test.each([
  [
    "a declared failure",
    new Failed("a.b", "SoldOut", failure(409, "No seat is left.")),
    "SoldOut",
    "No seat is left.",
    0,
  ],
  ["a fault", new Fault("Unavailable", "Not now."), "Unavailable", "Not now.", 1],
  ["an error", new RangeError("too far"), "RangeError", "too far", 1],
  ["what is no error", "oops", "Error", "oops", 1],
])("%s marks its span as failed with its code, and is thrown on", async (_what, thrown, code, message, exceptions) => {
  const { tracing, feed } = open();
  await expect(tracing.begin().span("step", "one", {}, () => Promise.reject(thrown))).rejects.toBe(thrown);
  const [record] = feed.recent();
  expect(record).toMatchObject({
    status: "failed",
    problem: { code, title: message },
    attributes: { "error.type": code },
  });
  expect(record?.events.filter(({ name }) => name === "exception")).toHaveLength(exceptions);
});

test("the feed tells of the start, of events and of the end, until it is asked to stop", async () => {
  const { tracing, feed } = open();
  const told: SpanRecord[] = [];
  feed.subscribe(() => {
    throw new Error("this listener is broken");
  });
  const stop = feed.subscribe((record) => told.push(record));
  await tracing.begin().span("step", "one", { attempt: 1 }, async (span) => {
    span.event("retried", { after: 5 });
    span.set({ outcome: "done" });
  });
  expect(told.map(({ status, events }) => [status, events.length])).toEqual([
    ["open", 0],
    ["open", 1],
    ["ok", 1],
  ]);
  expect(told[0]).not.toHaveProperty("endMs");
  expect(told.at(-1)).toEqual(feed.recent()[0]);
  expect(told.at(-1)).toMatchObject({
    kind: "step",
    attributes: { attempt: 1, outcome: "done" },
    events: [{ name: "retried", attributes: { after: 5 } }],
  });
  stop();
  await tracing.begin().span("step", "two", {}, done);
  expect(told).toHaveLength(3);
});

test("what is said of a span after its end is passed over", async () => {
  const { tracing, feed } = open();
  const span = await tracing.begin().span("step", "one", {}, async (inside) => inside);
  span.set({ late: true });
  span.event("late");
  expect(feed.recent()[0]).toMatchObject({ attributes: {}, events: [] });
});

test("times have fractions, and children lie inside their parents", async () => {
  const { tracing, feed } = open();
  const before = Date.now();
  await tracing.begin().span("run", "parent", {}, async (run) => {
    for (let at = 0; at < 20; at++) await run.span("step", `child ${at}`, {}, done);
  });
  const [parent, ...children] = feed.recent() as [SpanRecord, ...SpanRecord[]];
  expect(Math.abs(parent.startMs - before)).toBeLessThan(10_000);
  let last = parent.startMs;
  for (const { startMs, endMs = 0 } of children) {
    expect(startMs).toBeGreaterThanOrEqual(last);
    expect(endMs).toBeGreaterThanOrEqual(startMs);
    last = endMs;
  }
  expect(parent.endMs).toBeGreaterThanOrEqual(last);
  expect(children.some(({ startMs }) => !Number.isInteger(startMs))).toBe(true);
});

test("memory is bounded: the oldest traces go, and long ones are told of and not kept", async () => {
  const { tracing, feed } = open({ keep: 3 });
  for (const name of ["a", "b", "c", "d"]) await tracing.begin().span("run", name, {}, done);
  expect(feed.recent().map(({ name }) => name)).toEqual(["b", "c", "d"]);
  let told = 0;
  feed.subscribe(() => {
    told += 1;
  });
  const long = tracing.begin();
  for (let at = 0; at < 600; at++) await long.span("step", `${at}`, {}, done);
  expect(told).toBe(1_200);
  expect(feed.recent().filter(({ trace }) => trace === long.traceparent.slice(3, 35))).toHaveLength(500);
});

test("two telemetries in one process do not mix", async () => {
  const [one, other] = [open(), open()];
  await one.tracing.begin().span("run", "mine", {}, done);
  expect(other.feed.recent()).toEqual([]);
});

test("where nobody can look, nothing is measured, and traces are handed on all the same", async () => {
  const { tracing, feed } = open({ keep: 0 });
  const { traceparent } = tracing.begin();
  const inside = await tracing.continue(traceparent).span("run", "one", {}, async (span) => {
    span.set({ attempt: 1 });
    span.event("retried");
    return span.span("step", "two", {}, async (step) => step.traceparent);
  });
  expect(inside).toBe(traceparent);
  expect(tracing.begin().traceparent).not.toBe(traceparent);
  expect(tracing.continue("no trace").traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/);
  expect(feed.recent()).toEqual([]);
});

test("with a collector and nobody to look, the collector gets its spans and nothing is remembered", async () => {
  const collector = await collect();
  const { tracing, feed, close } = open({ keep: 0, otlpUrl: collector.url });
  await tracing.begin().span("run", "one", {}, done);
  await close();
  expect(collector.spans.map(({ name }) => name)).toEqual(["one"]);
  expect(feed.recent()).toEqual([]);
});
