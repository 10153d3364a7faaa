import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matches, noFilter } from "../console/src/model/filter.ts";
import { follow } from "../console/src/model/follow.ts";
import { type Hello, readHello } from "../console/src/model/hello.ts";
import { aftermath } from "../console/src/model/outage.ts";
import { perMinute, perSecond, series } from "../console/src/model/rates.ts";
import { busyMs, sharesOf } from "../console/src/model/shares.ts";
import { observeDelay, skewFrom } from "../console/src/model/skew.ts";
import { readSpan, type SpanRecord } from "../console/src/model/span.ts";
import { stateOf } from "../console/src/model/state.ts";
import { summarize } from "../console/src/model/summary.ts";
import { spansPerTrace, type Trace } from "../console/src/model/trace.ts";
import { apply, emptyWorld, type Message, tracesKept, type World } from "../console/src/model/world.ts";
import { axisOf, place } from "../console/src/timeline/axis.ts";
import { busyIn } from "../console/src/timeline/busy.ts";
import { rowsOf } from "../console/src/timeline/rows.ts";
import { segmentsOf } from "../console/src/timeline/segments.ts";
import { ticksOf } from "../console/src/timeline/ticks.ts";
import { airport, bookedTrip, brokenTrip, Story, soldOutTrip, undoneTrip, waitingTrip } from "./console-story.ts";

const at = 1_700_000_000_000;
const hello = (pid: number, startedMs: number): Hello => ({
  name: "trips",
  version: "1",
  pid,
  startedMs,
  canCrash: true,
  contracts: [],
});
const told = (...spans: readonly SpanRecord[]): Message[] => spans.map((span) => ({ type: "span", span }));
const worldOf = (...stories: readonly Story[]): World =>
  apply(
    emptyWorld,
    [{ type: "hello", hello: hello(1, at - 1000) }, ...told(...stories.flatMap(({ spans }) => spans))],
    at,
  );
const traceOf = (story: Story): Trace => worldOf(story).traces.get(story.trace) as Trace; // just told

describe("the state of a trace", () => {
  it("is done when its run is", () => expect(stateOf(traceOf(bookedTrip("a", at)))).toBe("done"));
  it("is undone when the run failed and every undo succeeded", () =>
    expect(stateOf(traceOf(undoneTrip("a", at)))).toBe("undone"));
  it("is declined when it came to a failure of its contract and nothing was there to undo", () =>
    expect(stateOf(traceOf(soldOutTrip("a", at)))).toBe("declined"));
  it("is failed when an undo was given up, whatever else was undone", () => {
    const story = new Story("a", at);
    const run = story.trip(50, 90, { problem: { code: "Boom" } });
    story.stored(run, "bookings.release", 60, 70, "undo");
    story.remote(run, "payments.refund", 72, 88, { kind: "undo", problem: { code: "Unavailable" } });
    expect(stateOf(traceOf(story))).toBe("failed");
  });
  it.each([false, true])("is waiting for a signal, and says for which (out of memory: %s)", (leftMemory) => {
    const summary = summarize(traceOf(waitingTrip("a", at, leftMemory)));
    expect([summary.state, summary.waitsFor, summary.endMs]).toEqual(["waiting", "approved", undefined]);
  });
  it.each([
    ["parked", "interrupted"],
    ["paused", "paused"],
    ["suspended", "waiting"],
  ])("of a run that ended its activation as %s is %s", (verdict, state) => {
    const story = new Story("a", at);
    story.trip(20, 40, { attributes: { "trilith.state": verdict } });
    expect(stateOf(traceOf(story))).toBe(state);
  });
  it("is running while a step is open, though the request was answered long ago", () => {
    const story = new Story("a", at);
    story.remote(story.trip(100, undefined, { status: 202 }), "payments.charge", 90, undefined);
    expect(stateOf(traceOf(story))).toBe("running");
  });
  it("is declined for a request without a run that was refused, and failed for one that broke", () => {
    const of = (status: number) => {
      const story = new Story("a", at);
      story.tell("request", "GET /x", 0, 3, { attributes: { "http.response.status_code": status } });
      return stateOf(traceOf(story));
    };
    expect([of(404), of(409), of(500), of(503)]).toEqual(["declined", "declined", "failed", "failed"]);
  });
});

describe("a summary", () => {
  it("names the request, the workflow, the status and the problem", () => {
    const summary = summarize(traceOf(undoneTrip("a", at)));
    expect(summary).toMatchObject({
      title: "POST /trips",
      subtitle: "trips.book",
      httpStatus: "202",
      code: "NotApproved",
    });
  });
  it("names the sources that could not say, and neither those that gave something old nor those that have nothing", () => {
    const states = { one: "fresh", two: "down", three: "invalid", four: "stale", five: "missing" };
    const page = airport("a", at, "SFO", states);
    expect(summarize(traceOf(page)).poorSources).toEqual(["two", "three"]);
  });
  it("is found by words in any order and by state", () => {
    const summary = summarize(traceOf(undoneTrip("a", at)));
    expect(matches(summary, { text: "notapp trips", state: "undone" })).toBe(true);
    expect(matches(summary, { text: "airports", state: "all" })).toBe(false);
    expect(matches(summary, { ...noFilter, state: "done" })).toBe(false);
  });
});

describe("the shares of the layers", () => {
  it("give each instant to the innermost span, and waiting to nobody", () => {
    const shares = sharesOf(traceOf(undoneTrip("a", at)));
    expect(shares.storage).toBeCloseTo(10.5 + 14.5 + 4 + 6, 6);
    expect(busyMs(shares)).toBeLessThan(1000);
  });
  it("never add up to more than the trace took", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(500), fc.nat(200), fc.nat(9)), { minLength: 1, maxLength: 30 }), (spans) => {
        const story = new Story("p", at);
        const kinds = ["request", "operation", "step", "source", "append"] as const;
        for (const [i, [from, took, parent]] of spans.entries())
          story.tell(kinds[i % kinds.length] ?? "step", "x", from, from + took, { parent: `p-${parent}` });
        const trace = traceOf(story);
        expect(busyMs(sharesOf(trace))).toBeLessThanOrEqual(trace.lastMs - trace.startMs + 1e-6);
      }),
    );
  });
});

describe("the world", () => {
  it("counts a request when it comes in, and the end of a run once, however often it is told", () => {
    const { spans } = bookedTrip("a", at);
    const once = worldOf(bookedTrip("a", at));
    const again = apply(once, told(...spans, ...spans), at + 500);
    for (const world of [once, again]) {
      expect(perMinute(world.rates, "requests", at + 500)).toBe(1);
      expect(perMinute(world.rates, "done", at + 500)).toBe(1);
      expect(perMinute(world.rates, "appends", at + 500)).toBe(spans.filter(({ kind }) => kind === "append").length);
    }
  });
  it("forgets what is older than a minute", () => {
    const world = worldOf(bookedTrip("a", at));
    expect(perMinute(world.rates, "requests", at + 61_000)).toBe(0);
    expect(series(world.rates, "requests", at, 60).at(-1)).toBe(1);
    expect(perSecond(world.rates, "requests", at + 2000)).toBe(0.2);
  });
  it("knows the last state of each source and the last position of each log", () => {
    const world = worldOf(
      bookedTrip("a", at),
      airport("b", at, "SFO", { one: "down" }),
      airport("c", at + 100, "SFO", { one: "fresh" }),
    );
    expect(world.sources.get("one")?.state).toBe("fresh");
    expect([...world.logs.keys()].sort()).toEqual(["main", "runs"]);
  });
  it("is bounded: the oldest ended traces go first, the one that is looked at stays, and a trace holds so many spans", () => {
    const running = new Story("running", at);
    running.trip(undefined, undefined);
    const old = bookedTrip("looked-at", at);
    const first = worldOf(running, old);
    const many = Array.from({ length: tracesKept + 20 }, (_, i) => bookedTrip(`t${i}`, at + i));
    const full = apply(first, told(...many.flatMap(({ spans }) => spans)), at, old.trace);
    expect(full.traces.size).toBe(tracesKept);
    expect([full.traces.has(old.trace), full.traces.has(running.trace), full.traces.has(many[0]?.trace ?? "")]).toEqual(
      [true, true, false],
    );

    const long = new Story("long", at);
    const run = long.trip(1, undefined);
    for (let i = 0; i < spansPerTrace + 10; i++) long.append(run, "main", i, i + 1);
    const trace = traceOf(long);
    expect([trace.spans.size, trace.dropped]).toEqual([spansPerTrace, 13]);
  });
  it("does not depend on how the messages were batched", () => {
    const messages: Message[] = [
      { type: "hello", hello: hello(1, at - 1000) },
      ...told(...brokenTrip("a", at).before.spans, ...waitingTrip("b", at + 5, false).spans),
      { type: "lost", atMs: at + 400 },
      { type: "hello", hello: hello(2, at + 1500) },
      ...told(...brokenTrip("a", at).after(1600).spans),
    ];
    const whole = apply(emptyWorld, messages, at + 2000);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: messages.length }), (sizes) => {
        let world = emptyWorld;
        const left = [...messages];
        for (const size of sizes) world = apply(world, left.splice(0, size), at + 2000);
        expect(world).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });
});

describe("a crash", () => {
  const { before, after: goneOn } = brokenTrip("broken", at);
  const lost: Message[] = [
    { type: "lost", atMs: at + 400 },
    { type: "hello", hello: hello(2, at + 1600) },
  ];
  const crashed = apply(worldOf(before, waitingTrip("waiting", at, false), bookedTrip("done", at)), lost, at + 1700);
  const on = apply(crashed, told(...goneOn(1650).spans), at + 2000);
  const traceIn = (world: World) => world.traces.get(before.trace) as Trace; // it was told

  it("cuts the spans that were left open at the moment of the loss, and no others", () => {
    const cut = [...traceIn(crashed).spans.values()].filter(({ status }) => status === "cut");
    expect(cut.map(({ kind }) => kind)).toEqual(["request", "operation", "run", "step", "operation"]);
    expect(new Set(cut.map(({ endMs }) => endMs))).toEqual(new Set([at + 400]));
    expect(stateOf(traceIn(crashed))).toBe("interrupted");
  });
  it("leaves a run that waits waiting", () =>
    expect(stateOf(crashed.traces.get(waitingTrip("waiting", at, false).trace) as Trace)).toBe("waiting"));
  it("is counted from the spans: what was under way, what went on, what ended", () => {
    const [outage] = on.outages;
    if (!outage) throw new Error("The other process was not noticed.");
    expect([outage.atMs, outage.backMs, outage.waiting]).toEqual([at + 400, at + 1600, 1]);
    expect(aftermath(outage, crashed.traces)).toEqual({ underWay: 1, wentOn: 0, ended: 0 });
    const [resumed] = goneOn(1650).spans;
    const open = {
      ...(resumed as SpanRecord),
      status: "open" as const,
      endMs: undefined as never,
      attributes: { "trilith.run": "01980-broken", "trilith.resumed": true },
    };
    expect(aftermath(outage, apply(crashed, told(open), at + 1700).traces)).toEqual({
      underWay: 1,
      wentOn: 1,
      ended: 0,
    });
    expect(aftermath(outage, on.traces)).toEqual({ underWay: 1, wentOn: 1, ended: 1 });
  });
  it("is no crash when the same process answers again", () => {
    const again = apply(
      worldOf(before),
      [
        { type: "lost", atMs: at + 400 },
        { type: "hello", hello: hello(1, at - 1000) },
      ],
      at + 500,
    );
    expect([again.outages.length, again.lostMs, stateOf(traceIn(again))]).toEqual([0, undefined, "running"]);
  });
  it("is noticed though the new process has the same id, as in a container", () =>
    expect(apply(worldOf(before), [{ type: "hello", hello: hello(1, at + 900) }], at + 1000).outages).toHaveLength(1));
  it("leaves the run and the broken step one line each, taken up after a gap", () => {
    const rows = rowsOf(traceIn(on));
    expect(rows.filter(({ kind }) => kind === "run")).toHaveLength(1);
    const charge = rows.find(({ kind, label }) => kind === "step" && label === "payments.charge");
    if (!charge) throw new Error("There is no line for the charge.");
    expect(segmentsOf(charge, traceIn(on), at + 2000).map(({ look }) => look)).toEqual(["cut", "gap", "work"]);
  });
});

describe("the rows of the time line", () => {
  it("go from the request over the run and its steps to the appends, in order of time", () => {
    const rows = rowsOf(traceOf(bookedTrip("a", at)));
    expect(rows.slice(0, 6).map(({ depth, kind, label }) => `${depth} ${kind} ${label}`)).toEqual([
      "0 request POST /trips",
      "1 operation trips.book",
      "2 run trips.book",
      "3 step bookings.hold",
      "4 operation bookings.hold",
      "5 append main",
    ]);
  });
  it("count attempts, mark fallbacks, and number what is undone in its order", () => {
    const booked = rowsOf(traceOf(bookedTrip("a", at)));
    expect(booked.find(({ label }) => label === "payments.charge")?.attempts).toBe(3);
    const undone = rowsOf(traceOf(undoneTrip("a", at)));
    expect(
      undone.filter(({ kind, label }) => kind === "step" && label === "fares.quote").map(({ fellBack }) => fellBack),
    ).toEqual([false, true]);
    expect(undone.flatMap(({ label, undo }) => (undo ? `${undo} ${label}` : []))).toEqual([
      "1 payments.refund",
      "2 bookings.release",
    ]);
  });
  it("put appends to the journal on the line of the run", () =>
    expect(rowsOf(traceOf(bookedTrip("a", at))).find(({ kind }) => kind === "run")?.journal).toHaveLength(5));
  it("show every span whose parent is not known, and survive parents in a circle", () => {
    const story = new Story("a", at);
    story.tell("step", "lost", 0, 1, { parent: "nobody" });
    expect(rowsOf(traceOf(story)).map(({ label }) => label)).toEqual(["lost"]);
    const circle = new Story("c", at);
    circle.tell("step", "one", 0, 1, { parent: "c-1" });
    circle.tell("step", "two", 0, 1, { parent: "c-0" });
    expect(rowsOf(traceOf(circle))).toHaveLength(2);
    expect(sharesOf(traceOf(circle)).orchestration).toBe(1);
  });
});

describe("the time axis", () => {
  it("folds minutes of waiting, so that the steps keep their room", () => {
    const trace = traceOf(undoneTrip("a", at));
    const axis = axisOf(trace.startMs, trace.lastMs, busyIn(trace, trace.lastMs));
    const folded = axis.pieces.filter((piece) => piece.folded);
    expect(folded.map(({ toMs, fromMs }) => Math.round((toMs - fromMs) / 1000))).toEqual([126]);
    expect(place(axis, at + 171) - place(axis, at + 106)).toBeGreaterThan(0.1);
  });
  it("draws a wait that outlived the memory as one: up to the next activation, or up to now", () => {
    for (const [story, untilMs] of [
      [undoneTrip("a", at), at + 126_170],
      [waitingTrip("a", at), at + 500_000],
    ] as const) {
      const trace = traceOf(story);
      const row = rowsOf(trace).find(({ rests }) => rests);
      if (!row) throw new Error("There is no line for the signal.");
      const segments = segmentsOf(row, trace, at + 500_000);
      expect(segments.map(({ look }) => look)).toEqual(["rest", "gap"]);
      expect(segments.at(-1)?.toMs).toBe(untilMs);
    }
  });
  it("does not fold work, however long it takes", () => {
    const story = new Story("a", at);
    story.remote(story.trip(10, 61_000), "payments.charge", 20, 60_900);
    const trace = traceOf(story);
    expect(axisOf(trace.startMs, trace.lastMs, busyIn(trace, trace.lastMs)).pieces.some(({ folded }) => folded)).toBe(
      false,
    );
  });
  const intervals = fc.array(fc.tuple(fc.nat(100_000), fc.nat(3_000)), { maxLength: 25 });
  it("covers the whole width without gaps, keeps the order of instants, and has round ticks that do not crowd", () => {
    fc.assert(
      fc.property(intervals, fc.array(fc.nat(110_000), { minLength: 2 }), (busy, instants) => {
        const axis = axisOf(
          0,
          110_000,
          busy.map(([fromMs, took]) => ({ fromMs, toMs: fromMs + took })),
        );
        expect(axis.pieces[0]?.left).toBe(0);
        expect(axis.pieces.at(-1)?.right).toBeCloseTo(1, 9);
        for (const [i, piece] of axis.pieces.entries()) {
          const before = axis.pieces[i - 1];
          if (before) expect([piece.fromMs, piece.left]).toEqual([before.toMs, before.right]);
        }
        const places = instants.sort((a, b) => a - b).map((ms) => place(axis, ms));
        for (const [i, left] of places.entries()) expect(left).toBeGreaterThanOrEqual((places[i - 1] ?? 0) - 1e-9);
        const ticks = ticksOf(axis, 0.14);
        for (const [i, tick] of ticks.entries())
          expect(tick.left - (ticks[i - 1]?.left ?? -1)).toBeGreaterThanOrEqual(0.09);
        expect(ticks.length).toBeLessThan(12);
      }),
    );
  });
});

describe("the rest", () => {
  it("takes what is not a span or a hello for nothing, instead of breaking", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        readSpan(value);
        readHello(value);
      }),
    );
    expect(readSpan({ trace: "t", span: "s", kind: "dance", name: "x", startMs: 1, status: "ok" })).toBeUndefined();
    const read = readSpan({
      trace: "t",
      span: "s",
      kind: "step",
      startMs: 1,
      status: "ok",
      attributes: { a: 1, b: null },
      problem: { code: "No", more: {} },
    });
    expect(read).toMatchObject({ name: "step", attributes: { a: 1 }, events: [], problem: { code: "No" } });
    expect(read?.attributes).not.toHaveProperty("b");
  });
  it("corrects the clock only when the backend's is really another", () => {
    expect(skewFrom(undefined)).toBe(0);
    expect(skewFrom(observeDelay(observeDelay(undefined, at + 900, at), at + 80, at))).toBe(0);
    expect(skewFrom(observeDelay(undefined, at + 5_000, at))).toBe(5_000);
    expect(skewFrom(observeDelay(undefined, at, at + 300))).toBe(-300);
  });
  it("follows what runs until it has come to rest and was there to be read", () => {
    const running = summarize(traceOf(brokenTrip("a", at).before));
    const newer = summarize(traceOf(bookedTrip("b", at + 50)));
    expect(follow([running, newer], undefined, at + 100)).toBe(newer.id);
    expect(follow([running, newer], running.id, at + 60_000)).toBe(running.id);
    const ended = summarize(traceOf(bookedTrip("c", at)));
    expect(follow([ended, newer], ended.id, at + 1000)).toBe(ended.id);
    expect(follow([ended, newer], ended.id, at + 20_000)).toBe(newer.id);
  });
});
