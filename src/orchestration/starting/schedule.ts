import { Cron } from "croner";
import type { AnyCommand, CallerInput, Named } from "../../contracts/index.ts";

/** Runs of a command at the instants of a calendar. */
export interface Schedule<Id extends string = string> extends Named<Id> {
  readonly kind: "schedule";
  readonly name: string;
  readonly operation: AnyCommand & Named;
  readonly cron: string;
  readonly zone: string;
  readonly input: (at: Date) => unknown;
  readonly catchUp: "none" | "last" | "all";
  readonly overlap: "skip" | "queue" | "allow";
}

/**
 * Declares that a command is called at the instants of a cron expression (five fields, or six with seconds) in a time
 * zone: once for each, whatever nodes there are and whatever crashes. Throws a sentence for what is no calendar.
 */
export function schedule<Op extends AnyCommand & Named>(
  operation: Op,
  options: {
    readonly cron: string;
    /** An IANA name, such as `"Europe/Berlin"`. */
    readonly zone: string;
    /** What it is called with; a pure function of the instant. */
    readonly input: (at: Date) => CallerInput<Op>;
    /** What becomes of instants that nobody was there for: none of them is made up for, the last one (unless told), or all, the newest hundred. */
    readonly catchUp?: "none" | "last" | "all";
    /** Where the run before has not ended: the instant is passed over (unless told), waits for that end, or does not mind. */
    readonly overlap?: "skip" | "queue" | "allow";
    /** What it is known by, on disk as well; needed where a command has two. By default the command's id. */
    readonly name?: string;
  },
): Schedule<Op["id"]> {
  const { cron, zone, input, catchUp = "last", overlap = "skip", name = operation.id } = options;
  const what = `The schedule "${name}"`;
  if (!isZone(zone))
    throw new TypeError(
      `${what} is in the zone "${zone}", which is no time zone. Give an IANA name, like "Europe/Berlin" or "UTC".`,
    );
  const wrong = wrongTimes(cron, zone);
  if (wrong !== undefined)
    throw new TypeError(
      `${what} has the times "${cron}", which are none: ${wrong}. At six on working days is "0 6 * * 1-5", every quarter of an hour "*/15 * * * *".`,
    );
  const { id, about } = operation;
  return Object.freeze({ kind: "schedule", id, about, name, operation, cron, zone, input, catchUp, overlap });
}

function isZone(zone: unknown): boolean {
  if (typeof zone !== "string") return false; // Intl takes undefined for the zone of this machine
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
}

/** What is wrong with a cron expression, as the end of a sentence. */
function wrongTimes(cron: string, zone: string): string | undefined {
  const parts = cron.trim().split(/\s+/).length;
  const isNickname = cron.startsWith("@");
  if (!isNickname && (parts < 5 || parts > 6))
    return `it has ${parts === 1 ? "one part" : `${parts} parts`}, and takes five (minute, hour, day of the month, month, day of the week), or six with the second before them`;
  try {
    // Any instant will do to ask from, as long as it is the same one each time: times without a year come again or never.
    const isEver = toCalendar({ cron, zone }).after(Date.UTC(2000, 0, 1)) !== undefined;
    return isEver ? undefined : "no day is like that";
  } catch (error) {
    const said = (error as Error).message.replace(/^CronPattern: /, "").replace(/\.$/, "");
    return said.charAt(0).toLowerCase() + said.slice(1);
  }
}

/** The instants of a schedule. */
export interface Calendar {
  /** The first one after an instant; undefined where there is none any more. */
  after(at: number): number | undefined;
  /** The newest ones up to an instant, so many at most, in their order. It costs these and no others. */
  upTo(at: number, most: number): readonly number[];
}

export function toCalendar({ cron, zone }: Pick<Schedule, "cron" | "zone">): Calendar {
  const job = new Cron(cron, { timezone: zone, paused: true });
  return {
    after: (at) => job.nextRun(new Date(at))?.getTime(),
    upTo(at, most) {
      const before = job.previousRuns(most + 1, new Date(at + 1_000)); // it looks before whole seconds
      return before
        .map((instant) => instant.getTime())
        .filter((instant) => instant <= at)
        .slice(0, most)
        .reverse();
    },
  };
}

/** By this two nodes know whether they speak of the same times. */
export const ruleOf = ({ cron, zone }: Schedule): string => `${cron} | ${zone}`;

/** An instant that is older than this was missed: nobody was there when it came. */
const missedAfterMs = 60_000;
const mostAtOnce = 100;

/**
 * Which of the instants up to now are to have a run, in their order, and what comes next. Of long ago only the newest are
 * looked at: of seconds a week has 604,800. `more`: there are more that are passed over than were counted.
 */
export function decide(
  { catchUp, overlap }: Pick<Schedule, "catchUp" | "overlap">,
  calendar: Calendar,
  from: number,
  now: number,
  isBusy: boolean,
): {
  readonly owed: readonly number[];
  readonly next: number | null;
  readonly passedOver: number;
  readonly more?: true;
} {
  const newest = calendar.upTo(now, mostAtOnce + 1).filter((at) => at >= from);
  const due = newest.slice(-mostAtOnce);
  const last = due.slice(-1);
  const wanted = catchUp === "all" ? due : catchUp === "last" ? last : last.filter((at) => now - at <= missedAfterMs);
  const owed = overlap !== "skip" ? wanted : isBusy ? [] : wanted.slice(-1);
  const more = newest.length > due.length && ({ more: true } as const);
  return { owed, next: calendar.after(now) ?? null, passedOver: newest.length - owed.length, ...more };
}
