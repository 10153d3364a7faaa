import { type Call, type Clock, type Dispatch, Failed, Fault, type Tracing } from "../../contracts/index.ts";
import { Alarm } from "../node/alarm.ts";
import { type Calendar, decide, ruleOf, type Schedule, toCalendar } from "./schedule.ts";
import type { Plan, Slot, Timetable } from "./timetable.ts";

export interface SchedulerPorts {
  readonly timetable: Timetable;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly tracing: Tracing;
  /** Whether a run is under way still. */
  readonly isUnderWay: (run: string) => Promise<boolean>;
  /** Whether other nodes may change the timetable. */
  readonly alone: boolean;
  /** Told what an operator should read. */
  readonly warn: (sentence: string) => void;
}

/** A schedule as an operator sees it. */
export interface ScheduleStatus {
  readonly name: string;
  readonly operation: string;
  readonly cron: string;
  readonly zone: string;
  readonly next: Date | undefined;
  readonly last: Date | undefined;
  /** The last run that it began. */
  readonly lastRun: string | undefined;
  /** How many instants wait for their run to begin. */
  readonly waiting: number;
  readonly paused: boolean;
  readonly pause?: { readonly by: string; readonly at: Date; readonly reason?: string };
  /** The times of other code, by which it goes at present; this node's come again once nobody acts on those. */
  readonly otherTimes?: string;
}
/** Who asks for something, and why. */
export interface ScheduleAsked {
  readonly by: string;
  readonly reason?: string;
}

const overlapPollMs = 1_000;
/** How often a row is looked at that other nodes may have changed. */
const pollMs = 30_000;
const retryMs = 5_000;
/** So long nobody answers for other times that are in the row: then nobody acts on them any more. Whoever does looks three times in that. */
const deserted = 3 * pollMs + 1_000;

/**
 * The schedules of one node. Where nodes have different times, those of whoever started last hold, for as long as a node
 * with them is there. Each node looks after all of them: what becomes of an instant is decided by whoever writes
 * it into the row first, and a run is begun under a key made of schedule and instant, so it is begun once by whomever.
 */
export class Scheduler {
  readonly #ports: SchedulerPorts;
  readonly #all: ReadonlyMap<
    string,
    { readonly schedule: Schedule; readonly calendar: Calendar; readonly alarm: Alarm }
  >;

  constructor(schedules: readonly Schedule[], ports: SchedulerPorts) {
    this.#ports = ports;
    const all = schedules.map((schedule) => {
      const calendar = toCalendar(schedule);
      const failed = (error: unknown) => ports.warn(`The schedule "${schedule.name}": ${sentenceOf(error)}`);
      const alarm = new Alarm(ports.clock, () => this.#look(schedule, calendar), failed);
      return [schedule.name, { schedule, calendar, alarm }] as const;
    });
    this.#all = new Map(all);
    const twice = schedules.find(({ name }, at) => schedules.findIndex((other) => other.name === name) < at);
    if (twice) throw new TypeError(`There are two schedules "${twice.name}". Give one of them another name.`);
  }

  /** Takes over the times of this code, and begins to look. */
  async start(): Promise<void> {
    for (const { schedule, calendar, alarm } of this.#all.values()) {
      await this.#change(schedule, (slot) => {
        const rule = ruleOf(schedule);
        if (slot?.rule === rule) return undefined;
        const next = calendar.after(this.#ports.clock.now()) ?? null;
        return { ...unasked(slot), rule, next };
      });
      void alarm.now();
    }
  }

  async stop(): Promise<void> {
    for (const { alarm } of this.#all.values()) await alarm.stop();
  }

  async list(): Promise<readonly ScheduleStatus[]> {
    return Promise.all([...this.#all.values()].map(({ schedule }) => this.#status(schedule)));
  }

  /** Until it is resumed no run is begun, on any node. Who paused it first has paused it. */
  async pause(name: string, asked: ScheduleAsked = byCode): Promise<void> {
    const { schedule } = this.#find(name);
    const pause = { ...asked, at: this.#ports.clock.now() };
    await this.#change(schedule, (slot) => (slot.paused ? undefined : { ...slot, paused: true, pause }));
  }

  /** Goes on with what was owed when it was paused, and the next instant from now; those of the pause are not made up for. */
  async resume(name: string): Promise<void> {
    const { schedule, calendar, alarm } = this.#find(name);
    await this.#change(schedule, ({ pause: _, ...slot }) =>
      slot.paused ? { ...slot, paused: false, next: calendar.after(this.#ports.clock.now()) ?? null } : undefined,
    );
    void alarm.now();
  }

  #find(name: string) {
    const found = this.#all.get(name);
    if (found) return found;
    throw new TypeError(`There is no schedule "${name}". There are: ${[...this.#all.keys()].join(", ") || "none"}.`);
  }

  async #status(schedule: Schedule): Promise<ScheduleStatus> {
    const { name, id, cron, zone } = schedule;
    const slot = await this.#ports.timetable.find(name);
    const { next = null, last = null, lastRun = null, owed = [], paused = false, pause } = slot ?? {};
    return {
      ...{ name, operation: id, cron, zone, waiting: owed.length, paused },
      next: paused || next === null ? undefined : new Date(next),
      last: last === null ? undefined : new Date(last),
      lastRun: lastRun ?? undefined,
      ...(pause && { pause: { ...pause, at: new Date(pause.at) } }),
      ...(slot && slot.rule !== ruleOf(schedule) && { otherTimes: slot.rule }),
    };
  }

  /** Changes the row, however often somebody else is faster; undefined leaves it. */
  async #change(schedule: Schedule, to: (slot: Slot) => Plan | undefined): Promise<void> {
    for (;;) {
      const was = await this.#ports.timetable.find(schedule.name);
      const plan = to(was ?? { ...unused, turn: -1 });
      if (!plan || (await this.#ports.timetable.put(schedule.name, plan, was))) return;
    }
  }

  /** Brings the row up to date, one change after the other; says when to look again. */
  async #look(schedule: Schedule, calendar: Calendar): Promise<number | undefined> {
    const { timetable, clock, warn, alone } = this.#ports;
    for (;;) {
      const slot = await timetable.find(schedule.name);
      const now = clock.now();
      const poll = alone ? undefined : now + pollMs;
      if (!slot || slot.paused) return poll;
      if (slot.rule !== ruleOf(schedule)) {
        const until = await this.#stand(slot, schedule, calendar);
        if (until === undefined) continue;
        return Math.min(until, poll ?? until);
      }
      if (slot.asked) {
        await timetable.put(schedule.name, unasked(slot), slot); // here somebody is
        continue;
      }
      const isBusy =
        slot.lastRun !== null && schedule.overlap !== "allow" && (await this.#ports.isUnderWay(slot.lastRun));
      const [at] = slot.owed;
      if (at !== undefined) {
        if (isBusy && schedule.overlap === "queue" && slot.last !== at) return now + overlapPollMs;
        const begun = await this.#begin(schedule, at);
        if (begun === "later") return now + retryMs;
        const owed = slot.owed.slice(1);
        const plan = begun === "never" ? { ...slot, owed } : { ...slot, owed, last: at, lastRun: begun.run };
        await timetable.put(schedule.name, plan, slot);
      } else if (slot.next === null) {
        return poll;
      } else if (now < slot.next) {
        return Math.min(slot.next, poll ?? slot.next);
      } else {
        const { owed, next, passedOver, more } = decide(schedule, calendar, slot.next, now, isBusy);
        const done = await timetable.put(schedule.name, { ...slot, owed, next }, slot);
        const count = `${more ? "more than " : ""}${passedOver} ${passedOver === 1 ? "instant" : "instants"}`;
        if (done && passedOver > 0) warn(passedOverSentence(schedule, count, isBusy));
      }
    }
  }

  /**
   * Other code has put its times in the row. It asks there whether that code is still at it, and takes the row back where
   * nobody says so. Says when to look again; undefined: at once.
   */
  async #stand(slot: Slot, schedule: Schedule, calendar: Calendar): Promise<number | undefined> {
    const { timetable, clock, warn } = this.#ports;
    const rule = ruleOf(schedule);
    const now = clock.now();
    if (!slot.asked) {
      await timetable.put(schedule.name, { ...slot, asked: { rule, at: now } }, slot);
      return undefined;
    }
    const { at } = slot.asked;
    if (now < at + deserted) return at + deserted;
    // What came since it was asked, nobody has acted on.
    const next = calendar.after(at) ?? null;
    if (await timetable.put(schedule.name, { ...unasked(slot), rule, next }, slot))
      warn(desertedSentence(schedule, slot));
    return undefined;
  }

  async #begin(schedule: Schedule, at: number): Promise<{ readonly run: string | null } | "later" | "never"> {
    const { dispatch, tracing, warn } = this.#ports;
    const { name, operation } = schedule;
    const instant = new Date(at).toISOString();
    const call: Call = {
      principal: { id: `schedule:${name}`, kind: "system", scopes: [] },
      trace: tracing.begin(),
      aborted: new AbortController().signal,
      key: instant,
      detached: true,
    };
    try {
      const { run = null } = await dispatch.call(operation.id, schedule.input(new Date(at)), call);
      return { run };
    } catch (error) {
      if (error instanceof Fault && error.code === "KeyReused") return { run: null }; // the run is there, begun by other code
      const isFinal = error instanceof Failed || !(error instanceof Fault) || error.code === "InvalidInput";
      const then = isFinal ? "This instant has no run." : "It is tried again.";
      warn(`The schedule "${name}" could not begin the run of ${instant}: ${sentenceOf(error)} ${then}`);
      return isFinal ? "never" : "later";
    }
  }
}

const unused: Plan = Object.freeze({ rule: "", next: null, owed: [], last: null, lastRun: null, paused: false });

const unasked = ({ asked: _, ...plan }: Plan): Plan => plan;

const byCode: ScheduleAsked = Object.freeze({ by: "the backend's code" });

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const desertedSentence = ({ name, cron, zone }: Schedule, { rule }: Slot): string =>
  `The schedule "${name}" went by the times of other code ("${rule}"), on which no node acts any more. It goes by "${cron} | ${zone}" again.`;

const passedOverSentence = ({ name, overlap }: Schedule, count: string, isBusy: boolean): string => {
  const why = isBusy && overlap === "skip" ? "its run before has not ended" : "nobody was there when they came";
  return `The schedule "${name}" has passed over ${count}: ${why}.`;
};
