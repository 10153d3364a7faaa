import { type Admission, type Head, type Standing, type Turn, type TurnChange, untilFreed } from "../journal/line.ts";
import type { Flow } from "../language/flow.ts";

/** What is to be done, and when to look again: `now` where more may be let in, a time on the line's clock, or when told. */
export interface Plan {
  readonly admission: Admission | undefined;
  readonly again: "now" | number | undefined;
}

/**
 * Whom to let in. A pure function of how the line stands. Turns are served by priority and then by start tag: start-time
 * fair queueing (Goyal, Vin, Cheng, 1996) with equal weights and runs of equal length: a turn that is served goes behind
 * by one from wherever the service is, so a key with many runs never keeps another waiting for more than a run of each.
 * Rates are the generic cell rate algorithm (ITU-T I.371): a meter holds the theoretical time of the next arrival.
 */
export function toPlan(seen: Standing, flow: Flow, most: number): Plan {
  const room = new Room(seen, flow);
  const turns = seen.turns.map((turn) => ({ turn, start: turn.start, left: [...turn.heads], served: 0 }));
  const admitted: (Head & { readonly turn: string })[] = [];
  const closed = new Map<string, TurnChange>();
  let { virtual } = seen;
  let open = [...turns];
  while (open.length > 0 && admitted.length < most && !room.isFull) {
    const next = open.reduce((first, other) => (comesBefore(other, first, virtual) ? other : first));
    const head = next.left.find((one) => room.fits(one));
    if (!head) {
      open = open.filter((one) => one !== next);
      if (next.left.length > 0) closed.set(toId(next.turn), room.close(next.turn, next.start, next.left));
      continue;
    }
    room.take(head);
    next.left = next.left.filter((one) => one !== head);
    admitted.push({ ...head, turn: next.turn.key });
    virtual = Math.max(virtual, next.start);
    next.start = virtual + 1;
    next.served++;
  }
  const changes = turns.flatMap(({ turn, start, served }): readonly TurnChange[] => {
    const change = closed.get(toId(turn));
    if (change && (served > 0 || change.opensAt > seen.now)) return [change];
    return served > 0 ? [{ key: turn.key, priority: turn.priority, start, opensAt: 0, blockedBy: null }] : [];
  });
  const freed = [...seen.lanes.values()].filter((lane) => lane.freed > 0).length;
  const admission: Admission = { virtual, admitted, turns: changes, meters: room.meters };
  const unseen = turns.some(({ turn, left }) => left.length === 0 && turn.waiting > turn.heads.length);
  const times = [seen.opensAt, ...changes.map(({ opensAt }) => opensAt), room.opensAt].filter(
    (at): at is number => at !== undefined && at > seen.now && at < untilFreed,
  );
  return {
    admission: admitted.length > 0 || changes.length > 0 || freed > 0 ? admission : undefined,
    again:
      admitted.length >= most || freed >= most || (unseen && !room.isFull)
        ? "now"
        : times.length > 0
          ? Math.min(...times)
          : undefined,
  };
}

type Served = { readonly turn: Turn; readonly start: number };
const toId = ({ key, priority }: Turn): string => `${priority} ${key}`;

function comesBefore(a: Served, b: Served, virtual: number): boolean {
  if (a.turn.priority !== b.turn.priority) return a.turn.priority > b.turn.priority;
  // Whoever was away has no credit: its turn begins where the service is.
  return Math.max(a.start, virtual) < Math.max(b.start, virtual);
}

/** What is free while runs are let in. */
class Room {
  readonly #seen: Standing;
  readonly #flow: Flow;
  readonly #taken = new Map<string, number>();
  readonly meters: Map<string, number> = new Map();
  /** When a meter that kept somebody waiting in a turn that stays open lets the next one in. */
  opensAt: number | undefined;
  constructor(seen: Standing, flow: Flow) {
    this.#seen = seen;
    this.#flow = flow;
  }

  /** Whether nobody at all fits, because there is but one lane and it is full. */
  get isFull(): boolean {
    return this.#flow.concurrency !== undefined && !this.#flow.concurrency.key && !this.#fitsLane("");
  }

  fits(head: Head): boolean {
    return this.#fitsLane(head.lane) && this.#opensAt(head.meter) <= this.#seen.now;
  }

  take({ lane, meter }: Head): void {
    if (lane !== undefined) this.#taken.set(lane, (this.#taken.get(lane) ?? 0) + 1);
    const { rate } = this.#flow;
    if (rate && meter !== undefined)
      this.meters.set(meter, Math.max(this.#arrival(meter), this.#seen.now) + rate.everyMs);
  }

  /** A turn of whose first runs none fits. It waits as a whole only where all of its runs wait for the same thing. */
  close({ key, priority }: Turn, start: number, heads: readonly Head[]): TurnChange {
    const blocked = heads.find(({ lane }) => !this.#fitsLane(lane));
    const opensAt = Math.min(
      ...heads.filter(({ lane }) => this.#fitsLane(lane)).map(({ meter }) => this.#opensAt(meter)),
    );
    if (!this.#flow.uniform) {
      if (opensAt > this.#seen.now && opensAt < untilFreed) this.opensAt = Math.min(this.opensAt ?? opensAt, opensAt);
      return { key, priority, start, opensAt: 0, blockedBy: null };
    }
    if (blocked) return { key, priority, start, opensAt: untilFreed, blockedBy: blocked.lane ?? null };
    return { key, priority, start, opensAt, blockedBy: null };
  }

  #fitsLane(lane: string | undefined): boolean {
    const { concurrency } = this.#flow;
    if (!concurrency || lane === undefined) return true;
    return (this.#seen.lanes.get(lane)?.held ?? 0) + (this.#taken.get(lane) ?? 0) < concurrency.limit;
  }

  /** When a meter lets the next one in: earlier than its turn comes by as much as a burst may be ahead. */
  #opensAt(meter: string | undefined): number {
    const { rate } = this.#flow;
    if (!rate || meter === undefined) return 0;
    return Math.ceil(this.#arrival(meter) - (rate.burst - 1) * rate.everyMs);
  }

  #arrival(meter: string): number {
    return this.meters.get(meter) ?? this.#seen.meters.get(meter) ?? 0;
  }
}
