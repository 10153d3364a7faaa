import type { Attributes, Problem, SpanEvent, SpanKind, SpanRecord } from "../console/src/model/span.ts";

/** Traces as a backend tells them, for tests of the page that draws them. Times are milliseconds after `startMs`. */
export class Story {
  readonly spans: SpanRecord[] = [];
  readonly trace: string;
  readonly #startMs: number;
  readonly #name: string;

  constructor(name: string, startMs: number) {
    this.#name = name;
    this.#startMs = startMs;
    this.trace = Buffer.from(name.padEnd(16, "-")).toString("hex").slice(0, 32);
  }

  /** Tells of a span; one without an end is open. Gives its id, for its children. */
  tell(kind: SpanKind, name: string, from: number, to: number | undefined, more: More = {}): string {
    const { parent, attributes = {}, events = [], problem, failed = problem !== undefined } = more;
    const span = more.span ?? `${this.#name}-${this.spans.length}`;
    this.spans.push({
      trace: this.trace,
      span,
      kind,
      name,
      startMs: this.#startMs + from,
      status: to === undefined ? "open" : failed ? "failed" : "ok",
      attributes,
      events: events.map(([event, at, said]) => ({
        name: event,
        atMs: this.#startMs + at,
        ...(said && { attributes: said }),
      })) satisfies SpanEvent[],
      ...(parent !== undefined && { parent }),
      ...(to !== undefined && { endMs: this.#startMs + to }),
      ...(problem && { problem }),
    });
    return span;
  }

  /** A step that calls an operation of the storage, with the append in it. */
  stored(run: string, operation: string, from: number, to: number, kind = "operation", attempt = 1): string {
    const step = this.tell("step", operation, from, to, {
      parent: run,
      attributes: { "trilith.step": operation, "trilith.step.kind": kind, "trilith.attempt": attempt },
    });
    const call = this.tell("operation", operation, from + 1, to - 0.5, {
      parent: step,
      attributes: { "trilith.operation": operation, "trilith.layer": "storage" },
    });
    this.append(call, "main", from + 2, to - 0.8);
    return step;
  }

  /** A step that calls another service. */
  remote(run: string, operation: string, from: number, to: number | undefined, more: Remote = {}): string {
    const { kind = "operation", ...rest } = more;
    const step = this.tell("step", operation, from, to, {
      parent: run,
      ...rest,
      attributes: {
        "trilith.step": operation,
        "trilith.step.kind": kind,
        "trilith.attempt": 1 + (rest.events?.length ?? 0),
      },
    });
    this.tell("operation", operation, from + 0.6, to === undefined ? undefined : to - 0.4, {
      parent: step,
      attributes: { "trilith.operation": operation, "trilith.layer": "remote" },
      failed: rest.problem !== undefined,
    });
    return step;
  }

  append(parent: string, log: string, from: number, to: number): void {
    this.tell("append", `append ${log}`, from, to, {
      parent,
      attributes: {
        "trilith.log": log,
        "trilith.events": 1,
        "trilith.position": positionAt(log, this.#startMs + to),
        "trilith.stream": log === "main" ? "flight/UA-101" : `run/${this.#name}`,
      },
    });
  }

  /** The request and the operation that start a trip, and its run. */
  trip(
    answered: number | undefined,
    ended: number | undefined,
    more: More & { readonly status?: number } = {},
  ): string {
    const { status = 200, ...rest } = more;
    const request = this.tell("request", "POST /trips", 0, answered, {
      attributes: {
        "http.request.method": "POST",
        "http.route": "/trips",
        "trilith.principal": "newcomer",
        ...(answered !== undefined && { "http.response.status_code": status }),
      },
      ...(rest.problem && { problem: rest.problem }),
    });
    const operation = this.tell("operation", "trips.book", 1.2, answered && answered - 0.8, {
      parent: request,
      attributes: { "trilith.operation": "trips.book", "trilith.layer": "orchestration" },
      ...(rest.problem && { problem: rest.problem }),
    });
    return this.tell("run", "trips.book", 2, ended, {
      parent: operation,
      ...rest,
      attributes: { "trilith.run": `01980-${this.#name}`, "trilith.workflow": "trips.book", ...rest.attributes },
    });
  }
}

export interface More {
  readonly span?: string;
  readonly parent?: string;
  readonly attributes?: Attributes;
  readonly events?: readonly (readonly [name: string, at: number, said?: Attributes])[];
  readonly problem?: Problem;
  readonly failed?: boolean;
}
interface Remote extends Omit<More, "attributes"> {
  readonly kind?: string;
}

const positionAt = (log: string, ms: number) => 40_000 + (Math.floor(ms / 90) % 9_000) * (log === "runs" ? 3 : 1);

export function bookedTrip(name: string, startMs: number): Story {
  const story = new Story(name, startMs);
  const run = story.trip(352, 348, { status: 201, attributes: { "trilith.state": "done" } });
  story.append(run, "runs", 3, 7);
  story.stored(run, "bookings.hold", 8, 19);
  story.append(run, "runs", 20, 24);
  story.remote(run, "fares.quote", 25, 93);
  story.append(run, "runs", 94, 98);
  story.remote(run, "payments.charge", 99, 318, {
    events: [
      ["attempt failed", 158, { attempt: 1, problem: "503 Unavailable" }],
      ["attempt failed", 240, { attempt: 2, problem: "The time ran out." }],
    ],
  });
  story.append(run, "runs", 319, 323);
  story.stored(run, "bookings.ticket", 324, 337);
  story.append(run, "runs", 338, 347);
  return story;
}

/** Nobody approves it, so that it is undone after two minutes in which it was in nobody's memory. */
export function undoneTrip(name: string, startMs: number): Story {
  const story = new Story(name, startMs);
  waitsForApproval(story, true);
  const run = story.tell("run", "trips.book", 126_170, 126_480, {
    parent: `${name}-1`,
    problem: { code: "NotApproved", title: "Nobody approved the fare in time." },
    attributes: {
      "trilith.run": `01980-${name}`,
      "trilith.workflow": "trips.book",
      "trilith.resumed": true,
      "trilith.state": "failed",
    },
  });
  story.remote(run, "payments.refund", 126_196, 126_322, {
    kind: "undo",
    events: [["attempt failed", 126_252, { attempt: 1, problem: "503 Unavailable" }]],
  });
  story.stored(run, "bookings.release", 126_330, 126_346, "undo");
  story.append(run, "runs", 126_350, 126_356);
  return story;
}

/** A trip that waits for a signal: for a second in memory, then only on disk. */
export function waitingTrip(name: string, startMs: number, leftMemory = true): Story {
  const story = new Story(name, startMs);
  waitsForApproval(story, leftMemory);
  return story;
}

function waitsForApproval(story: Story, leftMemory: boolean): void {
  const run = story.trip(104, leftMemory ? 1_186 : undefined, {
    status: 202,
    ...(leftMemory && { attributes: { "trilith.state": "suspended" } }),
  });
  story.append(run, "runs", 3, 7);
  story.stored(run, "bookings.hold", 8, 20);
  const late = { code: "DeadlineExceeded", title: "The time ran out." };
  const quote = story.tell("step", "fares.quote", 24, 101, {
    parent: run,
    problem: late,
    attributes: { "trilith.step": "fares.quote", "trilith.step.kind": "operation", "trilith.attempt": 1 },
  });
  story.tell("operation", "fares.quote", 25, 100, {
    parent: quote,
    problem: late,
    attributes: { "trilith.operation": "fares.quote", "trilith.layer": "remote" },
  });
  story.tell("step", "fares.quote fell back", 101.4, 101.6, {
    parent: run,
    attributes: { "trilith.step": "fares.quote", "trilith.step.kind": "fallback", "trilith.because": late.title },
  });
  story.remote(run, "payments.charge", 106, 171);
  story.tell("step", "signal approved", 176, leftMemory ? 1_186 : undefined, {
    parent: run,
    attributes: { "trilith.step": "signal approved", "trilith.step.kind": "signal" },
  });
}

export function soldOutTrip(name: string, startMs: number): Story {
  const story = new Story(name, startMs);
  const problem = { code: "SoldOut", title: "No seat is left." };
  const run = story.trip(31, 27, {
    status: 409,
    problem,
    attributes: { "trilith.state": "failed", "trilith.failure": "SoldOut" },
  });
  story.append(run, "runs", 3, 7);
  story.tell("step", "bookings.hold", 8, 20, {
    parent: run,
    problem,
    attributes: { "trilith.step": "bookings.hold", "trilith.step.kind": "operation", "trilith.attempt": 1 },
  });
  return story;
}

/** A trip that is paying when its process dies at `diedAt`, and goes on in the next process at `backAt`. */
export function brokenTrip(
  name: string,
  startMs: number,
): { readonly before: Story; readonly after: (backAt: number) => Story } {
  const before = new Story(name, startMs);
  const run = before.trip(undefined, undefined);
  before.append(run, "runs", 3, 7);
  before.stored(run, "bookings.hold", 8, 21);
  before.append(run, "runs", 22, 26);
  before.remote(run, "fares.quote", 27, 96);
  before.append(run, "runs", 97, 101);
  before.remote(run, "payments.charge", 102, undefined);
  const after = (backAt: number) => {
    const story = new Story(name, startMs);
    const again = story.tell("run", "trips.book", backAt, backAt + 196, {
      span: `${name}-resumed`,
      parent: `${name}-1`,
      attributes: {
        "trilith.run": `01980-${name}`,
        "trilith.workflow": "trips.book",
        "trilith.resumed": true,
        "trilith.state": "done",
      },
    });
    const named = (spans: readonly SpanRecord[]) =>
      spans.map((span) => ({ ...span, span: `${span.span}-b`, ...(span.parent && { parent: rename(span.parent) }) }));
    const rename = (id: string) => (id === again || id === `${name}-1` ? id : `${id}-b`);
    story.append(again, "runs", backAt + 3, backAt + 8);
    story.remote(again, "payments.charge", backAt + 10, backAt + 148);
    story.append(again, "runs", backAt + 150, backAt + 155);
    story.stored(again, "bookings.ticket", backAt + 158, backAt + 176);
    story.append(again, "runs", backAt + 178, backAt + 190);
    const [first, ...rest] = story.spans;
    story.spans.splice(0, story.spans.length, ...(first ? [first] : []), ...named(rest));
    return story;
  };
  return { before, after };
}

export function airport(name: string, startMs: number, iata: string, states: Readonly<Record<string, string>>): Story {
  const story = new Story(name, startMs);
  const request = story.tell("request", "GET /airports/{iata}", 0, 88, {
    attributes: {
      "http.request.method": "GET",
      "http.route": "/airports/{iata}",
      "http.response.status_code": 200,
      "trilith.principal": "public",
    },
  });
  const operation = story.tell("operation", "airports.page", 1, 87, {
    parent: request,
    attributes: { "trilith.operation": "airports.page", "trilith.layer": "aggregation" },
  });
  const view = story.tell("view", "airports.page", 1.4, 86, { parent: operation });
  for (const [i, [source, state]] of Object.entries(states).entries()) {
    const poor = state === "down" || state === "invalid";
    story.tell("source", source, 2 + i * 0.4, state === "down" ? 82 : 24 + i * 17, {
      parent: view,
      attributes: {
        "trilith.source": source,
        "trilith.state": state,
        "url.full": `http://127.0.0.1:4100/${source}/${iata}`,
      },
      ...(poor && {
        problem:
          state === "down"
            ? { code: "Unavailable", title: "It cannot be done right now." }
            : { code: "InvalidOutput", title: "The answer breaks the contract." },
      }),
    });
  }
  return story;
}
