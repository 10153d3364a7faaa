import { type Clock, Fault } from "../../contracts/index.ts";
import { type Bounds, Capacity } from "../../storage/capacity.ts";
import type { Outcome, Place, Receipt } from "../../storage/host.ts";
import { Latencies } from "../../storage/latencies.ts";
import type { Calls } from "./calls.ts";
import type { Epochs } from "./epochs.ts";
import { type Answer, Group } from "./group.ts";
import type { Lane } from "./lane.ts";
import { Pace } from "./pace.ts";
import type { Prepared } from "./prepared.ts";
import { Queue, type Queued } from "./queue.ts";
import { type Patience, rideOut, toFault } from "./riding-out.ts";
import { isGone, sentenceOf, troubleOf } from "./trouble.ts";

export interface AppenderPorts {
  readonly lane: Lane;
  readonly calls: Calls;
  readonly epochs: Epochs;
  readonly clock: Clock;
  readonly patience: Patience;
  /** How much may wait. */
  readonly bounds: Bounds;
  readonly receipts: (log: string, keys: readonly string[]) => Promise<ReadonlyMap<string, Receipt>>;
  /** Makes appends ready once more, after looking up again where their documents go. */
  readonly renew: (appends: readonly Prepared[]) => Promise<readonly Prepared[]>;
  /** A log has grown. */
  readonly grown: (log: string, position: number) => void;
}
interface Waiting extends Queued {
  readonly since: number;
  readonly renewed?: boolean;
  /** What it takes of the bound. */
  readonly size: number;
  resolve(outcome: Outcome): void;
  reject(error: Error): void;
}

/** While the server flushes one group the next one travels to it; a third would only split what could share a flush. */
const groupsUnderWay = 2;

/**
 * Appends on their way. Those that arrive while two groups are under way travel together in the next one; each has an
 * outcome of its own, and has it only after the commit that it was in.
 */
export class Appender {
  readonly #ports: AppenderPorts;
  readonly #queue = new Queue<Waiting>();
  readonly #latencies = new Latencies();
  readonly #underWay: (readonly Waiting[])[] = [];
  readonly #room: Capacity;
  readonly #pace = new Pace();
  #scheduled = false;
  #closing: (() => void) | undefined;
  constructor(ports: AppenderPorts) {
    this.#ports = ports;
    this.#room = new Capacity(ports.bounds, "appends are waiting for PostgreSQL");
  }

  get queued(): number {
    return this.#room.count;
  }

  get appendMs(): { readonly p50: number; readonly p99: number } {
    return this.#latencies.percentiles();
  }

  /** Durable when it resolves. All of them are taken, or none where that would be too many. */
  append(appends: readonly Prepared[]): Promise<readonly Outcome[]> {
    if (this.#closing) return Promise.reject(closed());
    let size = 0;
    for (const append of appends) size += append.size;
    const full = this.#room.admit(appends.length, size);
    if (full) return Promise.reject(full);
    const since = this.#ports.clock.monotonic();
    const outcomes = appends.map(
      (prepared) =>
        new Promise<Outcome>((resolve, reject) =>
          this.#queue.add({ prepared, together: appends, since, size: prepared.size, resolve, reject }),
        ),
    );
    this.#schedule();
    const [only] = outcomes;
    if (only && outcomes.length === 1) return only.then((outcome) => [outcome]);
    // Every one of them has come to its end before any failure is told.
    return Promise.allSettled(outcomes).then(() => Promise.all(outcomes));
  }

  /** Lets what was asked for be written. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#closing = resolve;
      this.#endIfDone();
    });
  }

  // Not a microtask: whoever else is about to append in this turn of the event loop should travel in the same group.
  #schedule(): void {
    if (this.#scheduled || this.#underWay.length >= groupsUnderWay) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#go();
    });
  }

  #go(): void {
    while (this.#underWay.length < groupsUnderWay && this.#queue.length > 0) {
      const sent = this.#underWay.reduce((sum, { length }) => sum + length, 0);
      const most = this.#pace.together(sent + this.#queue.length);
      const group = this.#queue.take(new Set(this.#underWay.flatMap(toTogether)), most);
      if (group.length === 0) break;
      this.#underWay.push(group);
      void this.#send(group).then(() => {
        this.#underWay.splice(this.#underWay.indexOf(group), 1);
        this.#schedule();
        this.#endIfDone();
      });
    }
    this.#pace.turned();
  }

  /** Never rejects. */
  async #send(waiting: readonly Waiting[]): Promise<void> {
    if (waiting.length === 0) return;
    const appends = waiting.map(({ prepared }) => prepared);
    try {
      const answer = await this.#call(new Group(appends));
      const settling = this.#settle(waiting, appends, answer);
      if (settling) await settling;
    } catch (error) {
      // One that cannot be written takes its group with it, so each half goes again; halves end at the one.
      if (isGone(error) && waiting.some(({ renewed = false }) => !renewed)) await this.#renew(waiting);
      else if (waiting.length > 1 && troubleOf(error) === "refused") {
        const half = Math.ceil(waiting.length / 2);
        await this.#send(waiting.slice(0, half));
        await this.#send(waiting.slice(half));
      } else for (const entry of waiting) this.#fail(entry, error);
    }
  }

  /** A table has gone that one of them writes to, and nothing of any was done. */
  async #renew(waiting: readonly Waiting[]): Promise<void> {
    const ready = await this.#ports.renew(waiting.map(({ prepared }) => prepared)).catch((error: Error) => error);
    if (ready instanceof Error) for (const entry of waiting) this.#fail(entry, ready);
    else await this.#send(waiting.map((entry, at) => ({ ...entry, prepared: ready[at] as Prepared, renewed: true }))); // one an entry
  }

  async #call(group: Group): Promise<Answer> {
    const { lane, calls, epochs, clock, patience } = this.#ports;
    const call = calls.next();
    let twice = false;
    let seen: Place | undefined;
    let sent = 0;
    const reply = await rideOut(patience, (again) => {
      twice ||= again;
      const forget = calls.toForget();
      const { log } = group;
      return lane.call(() => {
        seen ??= epochs.seen(log) ?? { epoch: 0, position: 0 };
        const made = group.toCall({ call, again, forget, now: clock.now(), seen });
        sent = clock.monotonic();
        this.#pace.sent(sent);
        return made;
      });
    });
    const now = clock.monotonic();
    const answer = group.toAnswer(reply);
    this.#pace.answered(now, sent, answer.outcomes.length, twice ? undefined : answer.workedMs);
    if (answer.noted) calls.answered(call, twice);
    return answer;
  }

  /** Tells everybody; those whose receipt was there once that was fetched. */
  #settle(
    waiting: readonly Waiting[],
    appends: readonly Prepared[],
    { epoch, outcomes }: Answer,
  ): Promise<void> | undefined {
    const { epochs, grown } = this.#ports;
    const log = (appends[0] as Prepared).log; // a group has at least one
    const last = outcomes.findLastIndex((outcome) => outcome !== "again" && outcome.ok && "last" in outcome);
    const reached = outcomes[last];
    if (reached !== undefined && reached !== "again" && "last" in reached) {
      const { append } = appends[last] as Prepared; // at the same place
      epochs.learn(log, { epoch, position: reached.last, append: append.events.length > 0 ? append.id : null });
      grown(log, reached.last);
    }
    const again: Waiting[] = [];
    for (const [index, entry] of waiting.entries()) {
      const outcome = outcomes[index] as Outcome | "again"; // one an append
      if (outcome === "again") again.push(entry);
      else this.#answer(entry, outcome);
    }
    return again.length > 0 ? this.#repeat(log, again) : undefined;
  }

  async #repeat(log: string, waiting: readonly Waiting[]): Promise<void> {
    const keyOf = ({ prepared }: Waiting): string => prepared.append.receipt?.key ?? "";
    const known = await this.#ports.receipts(log, waiting.map(keyOf)).catch((error: Error) => error);
    for (const entry of waiting) {
      if (known instanceof Error) {
        this.#fail(entry, known);
        continue;
      }
      const again = known.get(keyOf(entry));
      if (again) this.#answer(entry, { ok: true, again });
      else this.#queue.add(entry); // it was swept in between: then the append is a new one
    }
  }

  #answer(entry: Waiting, outcome: Outcome): void {
    this.#room.leave(1, entry.size);
    this.#latencies.add(this.#ports.clock.monotonic() - entry.since);
    entry.resolve(outcome);
  }

  #fail(entry: Waiting, error: unknown): void {
    if (troubleOf(error) === "refused") {
      this.#answer(entry, { ok: false, why: "refused", message: sentenceOf(error) });
      return;
    }
    this.#room.leave(1, entry.size);
    entry.reject(toFault(error));
  }

  #endIfDone(): void {
    if (this.#closing && this.#room.count === 0 && this.#underWay.length === 0) this.#closing();
  }
}

const toTogether = (group: readonly Waiting[]): readonly object[] => group.map(({ together }) => together);

export const closed = (): Fault =>
  new Fault("Unavailable", "The storage engine has been closed.", { outcome: "not done" });
