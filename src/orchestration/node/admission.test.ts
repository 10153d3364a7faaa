import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Admission, type Standing, type Turn, untilFreed } from "../journal/line.ts";
import { type Flow, type FlowOptions, toFlow, toTicket } from "../language/flow.ts";
import { toPlan } from "./admission.ts";

interface Job {
  readonly tenant: string;
  readonly priority?: number;
}
const flowOf = (options: FlowOptions<Job>): Flow => toFlow("jobs.do", options) as Flow; // limits are given

/** A line in memory, by the words of the port. */
class Model {
  readonly #flow: Flow;
  readonly #turns = new Map<string, { turn: Turn; opensAt: number; blockedBy: string | null; runs: Head[] }>();
  readonly #lanes = new Map<string, { held: number; freed: number }>();
  #meters = new Map<string, number>();
  #virtual = 0;
  #runs = 0;
  now = 0;
  readonly admitted: { readonly run: string; readonly job: Job; readonly at: number }[] = [];
  constructor(options: FlowOptions<Job>) {
    this.#flow = flowOf(options);
  }

  queue(job: Job, times = 1): void {
    for (let n = 0; n < times; n++) {
      const { turn: key, priority, lane, meter } = toTicket("jobs.do", this.#flow, job);
      const id = `${priority} ${key}`;
      const known = this.#turns.get(id) ?? {
        turn: { key, priority, start: 0, waiting: 0, heads: [] },
        ...{ opensAt: 0, blockedBy: null, runs: [] },
      };
      known.runs.push({
        run: `r${this.#runs++}`,
        job,
        ...(lane !== undefined && { lane }),
        ...(meter !== undefined && { meter }),
      });
      this.#turns.set(id, known);
    }
  }

  /** Admits until nothing is left to do now; says when to look again. */
  settle(most = 8): number | undefined {
    for (let looks = 0; looks < 10_000; looks++) {
      const { admission, again } = toPlan(this.#look(), this.#flow, most);
      if (admission) this.#keep(admission);
      if (again !== "now") return again;
    }
    throw new Error("It looks for ever.");
  }

  end(job: Job): void {
    const { lane } = toTicket("jobs.do", this.#flow, job);
    if (lane === undefined) return;
    const { held = 0, freed = 0 } = this.#lanes.get(lane) ?? {};
    this.#lanes.set(lane, { held: held - 1, freed: freed + 1 });
  }

  held(lane = ""): number {
    return this.#lanes.get(lane)?.held ?? 0;
  }
  get waiting(): number {
    return [...this.#turns.values()].reduce((sum, { runs }) => sum + runs.length, 0);
  }

  #look(): Standing {
    const backlogged = [...this.#turns.values()].filter(({ runs }) => runs.length > 0);
    const freed = [...this.#lanes].filter(([, lane]) => lane.freed > 0).map(([lane]) => lane);
    const open = backlogged.filter(
      ({ opensAt, blockedBy }) => opensAt <= this.now || (blockedBy !== null && freed.includes(blockedBy)),
    );
    const times = backlogged.map(({ opensAt }) => opensAt).filter((at) => at > this.now && at < untilFreed);
    return {
      ...{ revision: 0, now: this.now, virtual: this.#virtual, lanes: this.#lanes, meters: this.#meters },
      turns: open.map(({ turn, runs }) => ({ ...turn, waiting: runs.length, heads: runs.slice(0, 4) })),
      opensAt: times.length > 0 ? Math.min(...times) : undefined,
    };
  }

  #keep({ virtual, admitted, turns, meters }: Admission): void {
    this.#virtual = virtual;
    this.#meters = new Map([...this.#meters, ...meters]);
    for (const [lane, { held }] of this.#lanes) this.#lanes.set(lane, { held, freed: 0 });
    for (const { run, lane } of admitted) {
      for (const known of this.#turns.values()) {
        const head = known.runs.find((one) => one.run === run);
        if (!head) continue;
        known.runs = known.runs.filter((one) => one !== head);
        this.admitted.push({ run, job: head.job, at: this.now });
      }
      if (lane !== undefined) {
        const { held = 0, freed = 0 } = this.#lanes.get(lane) ?? {};
        this.#lanes.set(lane, { held: held + 1, freed });
      }
    }
    for (const { key, priority, start, opensAt, blockedBy } of turns) {
      const known = this.#turns.get(`${priority} ${key}`);
      if (known) Object.assign(known, { turn: { ...known.turn, start }, opensAt, blockedBy });
    }
  }
}
type Head = { readonly run: string; readonly job: Job; readonly lane?: string; readonly meter?: string };
const tenants = (model: Model): string => model.admitted.map(({ job }) => job.tenant).join("");

describe("who is let in", () => {
  it("is never one more than the concurrency, and one more as soon as one ends", () => {
    const model = new Model({ concurrency: 3 });
    model.queue({ tenant: "a" }, 10);
    model.settle();
    expect(model.held()).toBe(3);
    model.end({ tenant: "a" });
    model.settle();
    expect([model.held(), model.admitted.length]).toEqual([3, 4]);
  });

  it("is held apart for each key", () => {
    const model = new Model({ concurrency: { limit: 2, key: ({ tenant }) => tenant } });
    model.queue({ tenant: "a" }, 5);
    model.queue({ tenant: "b" }, 1);
    model.settle();
    expect(tenants(model)).toBe("aba");
    model.end({ tenant: "a" });
    model.settle();
    expect(tenants(model)).toBe("abaa");
  });

  it("takes turns by key, so that who comes late with little does not wait for who has much", () => {
    const model = new Model({ concurrency: 1, fairness: ({ tenant }) => tenant });
    model.queue({ tenant: "a" }, 1_000);
    for (let n = 0; n < 3; n++) {
      model.settle();
      model.end({ tenant: "a" });
    }
    model.queue({ tenant: "b" }, 3);
    for (let n = 0; n < 8; n++) {
      model.settle();
      model.end({ tenant: "?" });
    }
    expect(tenants(model)).toMatch(/^aaa(ab|ba){3}aa$/);
  });

  it("has no credit from a time when it was not there", () => {
    const model = new Model({ concurrency: 1, fairness: ({ tenant }) => tenant });
    model.queue({ tenant: "b" }, 1);
    model.queue({ tenant: "a" }, 100);
    for (let n = 0; n < 50; n++) {
      model.settle();
      model.end({ tenant: "?" });
    }
    model.queue({ tenant: "b" }, 50);
    for (let n = 0; n < 20; n++) {
      model.settle();
      model.end({ tenant: "?" });
    }
    const since = tenants(model).slice(50);
    expect(Math.abs(since.replaceAll("a", "").length - since.replaceAll("b", "").length)).toBeLessThanOrEqual(2);
  });

  it("goes by priority first", () => {
    const model = new Model({ concurrency: 1, priority: ({ priority = 0 }) => priority });
    model.queue({ tenant: "a" }, 3);
    model.queue({ tenant: "b", priority: 5 }, 2);
    model.queue({ tenant: "c", priority: -5 }, 1);
    for (let n = 0; n < 6; n++) {
      model.settle();
      model.end({ tenant: "?" });
    }
    expect(tenants(model)).toBe("bbaaac");
  });

  it("comes at a rate, evenly, after a burst, and says when it goes on", () => {
    const model = new Model({ rate: { limit: 10, per: "1s", burst: 3 } });
    model.queue({ tenant: "a" }, 6);
    const times: (number | undefined)[] = [];
    for (let again = model.settle(); again !== undefined; again = model.settle()) {
      times.push(again);
      model.now = again;
    }
    expect(model.admitted.map(({ at }) => at)).toEqual([0, 0, 0, 100, 200, 300]);
    expect(times).toEqual([100, 200, 300]);
  });

  it("is as many as the limits allow, and no more, whatever comes and goes", () => {
    const job = fc.record({ tenant: fc.constantFrom("a", "b", "c", "d"), priority: fc.integer({ min: -1, max: 1 }) });
    const happening = fc.oneof(
      fc.record({ what: fc.constant("queue" as const), job, times: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ what: fc.constant("end" as const), nth: fc.nat(20) }),
      fc.record({ what: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 400 }) }),
    );
    const keyed = fc.boolean();
    const options = fc.record({
      limit: fc.integer({ min: 1, max: 4 }),
      keyed,
      fair: keyed,
      rated: keyed,
      meterKeyed: keyed,
    });
    const property = fc.property(options, fc.array(happening, { maxLength: 40 }), (drawn, happenings) => {
      const { limit, keyed, fair, rated, meterKeyed } = drawn;
      const key = ({ tenant }: Job): string => tenant;
      const model = new Model({
        concurrency: keyed ? { limit, key } : limit,
        priority: ({ priority = 0 }) => priority,
        ...(fair && { fairness: ({ tenant }: Job) => (tenant < "c" ? "early" : "late") }),
        ...(rated && { rate: { limit: 5, per: "1s", ...(meterKeyed && { key }) } }),
      });
      const running: Job[] = [];
      let seen = 0;
      for (const happening of happenings) {
        if (happening.what === "queue") model.queue(happening.job, happening.times);
        else if (happening.what === "wait") model.now += happening.ms;
        else {
          const [ended] = running.splice(happening.nth % Math.max(1, running.length), 1);
          if (ended) model.end(ended);
        }
        const again = model.settle();
        running.push(...model.admitted.slice(seen).map(({ job }) => job));
        seen = model.admitted.length;
        for (const lane of keyed ? ["a", "b", "c", "d"] : [""]) {
          const held = running.filter(({ tenant }) => !keyed || tenant === lane).length;
          expect(model.held(lane)).toBe(held);
          expect(held).toBeLessThanOrEqual(limit);
          // Nobody waits without a reason: a full lane, or a rate that says when.
          if (!keyed && !rated && model.waiting > 0) expect(held).toBe(limit);
        }
        if (rated && !keyed && model.waiting > 0 && running.length < limit) expect(again).toBeGreaterThan(model.now);
      }
      if (!rated) return;
      for (const one of model.admitted) {
        const second = model.admitted.filter(
          ({ at, job }) => at >= one.at && at < one.at + 1_000 && (!meterKeyed || job.tenant === one.job.tenant),
        );
        expect(second.length).toBeLessThanOrEqual(5);
      }
      for (let steps = 0; model.waiting > 0 && steps < 2_000; steps++) {
        for (const job of running.splice(0)) model.end(job);
        const again = model.settle();
        running.push(...model.admitted.slice(seen).map(({ job }) => job));
        seen = model.admitted.length;
        if (again !== undefined) model.now = again;
      }
      expect(model.waiting).toBe(0); // nobody is forgotten
    });
    fc.assert(property, { numRuns: 300 });
  });
});

describe("limits", () => {
  it("that make no sense are refused in a sentence", () => {
    expect(() => toFlow("jobs.do", { concurrency: 0 })).toThrow("has a concurrency of 0");
    expect(() => toFlow("jobs.do", { rate: { limit: 1.5, per: "1s" } })).toThrow("has a rate of 1.5");
    expect(() => toFlow("jobs.do", { priority: 1 })).toThrow("nobody ever waits");
    expect(() => toFlow("jobs.do", { concurrency: 1, priority: 2_000 })).toThrow("from -1,000 to 1,000");
    const flow = flowOf({ concurrency: { limit: 1, key: () => undefined as unknown as string } });
    expect(() => toTicket("jobs.do", flow, { tenant: "a" })).toThrow("The concurrency key of jobs.do is undefined");
    expect(toFlow("jobs.do", {})).toBeUndefined();
  });
});
