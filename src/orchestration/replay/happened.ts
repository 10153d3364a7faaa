import type { Clock } from "../../contracts/index.ts";
import type { Item, Request } from "../journal/journal.ts";
import { AwaitedRuns } from "./awaited-runs.ts";
import type { Exchange, Waiting } from "./exchange.ts";
import type { Inbox } from "./inbox.ts";

export interface HappenedPorts {
  readonly run: string;
  /** What keys begin with: the run, and which stretch of it. */
  readonly root: string;
  readonly exchange: Exchange;
  readonly clock: Clock;
}

/** The order of what happened while the code waits: signals that came, runs that ended, times that were over. */
export class Happened {
  readonly #ports: HappenedPorts;
  readonly #inbox: Inbox;
  #runs: AwaitedRuns | undefined;
  /** By path: what the code waits for any one of. Made when there is something to be in it. */
  names: Map<string, ReadonlySet<string>> | undefined;

  constructor(ports: HappenedPorts, inbox: Inbox) {
    this.#ports = ports;
    this.#inbox = inbox;
  }

  /** The runs that steps wait for, once there were some. */
  get runs(): AwaitedRuns | undefined {
    return this.#runs;
  }
  /** The same, where there are some now. */
  get withRuns(): AwaitedRuns {
    this.#runs ??= new AwaitedRuns(this.#ports.run, this.#ports.root);
    return this.#runs;
  }

  /**
   * Hands out what has happened by now, in the order of the times that were written down: the signals of the inbox, first
   * come, first served, the ends of other runs, and between them the times that were over by then. Nobody may have been
   * there when they were. What a run that has ended has to say is asked for only now, and what came after it waits for that.
   */
  settle(): void {
    const { exchange, clock } = this.#ports;
    const { ready } = exchange;
    const open = [...exchange.waiting.values()].filter(({ active, path }) => active && !ready.has(path));
    const listening = open.filter(({ kind }) => kind === "signal");
    const now = clock.now();
    const due = open.flatMap((waiting) => {
      const over = waiting.kind === "action" ? undefined : waiting.wakeAt;
      const isOver = over !== undefined && (over <= now || this.#runs?.hasRung(waiting.path) === true);
      return isOver ? [{ waiting, over }] : [];
    });
    due.sort((one, other) => one.over - other.over);
    const handed = new Set([...ready.values()].flatMap((one) => (one.type === "SignalTaken" ? [one.item] : [])));
    const stepsFor = this.stepsFor();
    for (const item of listening.length > 0 || stepsFor ? this.#inbox.items : []) {
      const { revision, payload, by, signal } = item;
      if (signal === "") {
        const steps = stepsFor?.(item) ?? [];
        if (steps.length === 0) continue;
        for (let [first] = due; first && first.over < item.at; [first] = due) this.#timeOut(due, listening);
        if (!steps.every((path) => this.#runs?.answer(path))) return;
        continue;
      }
      if (this.#inbox.isTaken(revision) || handed.has(revision)) continue;
      for (let [first] = due; first && first.over < item.at; [first] = due) this.#timeOut(due, listening);
      const at = listening.findIndex(({ request }) => this.#fits(request, item));
      const [taker] = at < 0 ? [] : listening.splice(at, 1);
      if (!taker) continue;
      const { path } = taker;
      const late = due.findIndex(({ waiting }) => waiting === taker);
      if (late >= 0) due.splice(late, 1);
      const told = this.names?.has(path) && { signal };
      exchange.settle({ type: "SignalTaken", path, payload, item: revision, by, ...told });
    }
    while (due.length > 0) this.#timeOut(due, listening);
  }

  /** The steps that wait for the end that an item tells of, and have no answer on its way to the code. */
  stepsFor(): ReturnType<AwaitedRuns["ends"]> {
    const { waiting, ready } = this.#ports.exchange;
    return this.#runs?.ends(this.#inbox.items, (path) => waiting.has(path) && !ready.has(path));
  }

  /** Whether a run has ended by this instant, and what it has to say is not here yet. */
  isBehindAnEnd(at: number): boolean {
    const stepsFor = this.stepsFor();
    return stepsFor !== undefined && this.#inbox.items.some((item) => item.at <= at && stepsFor(item).length > 0);
  }

  /** The first of these times is over. */
  #timeOut(due: { readonly waiting: Waiting }[], listening: Waiting[]): void {
    const { waiting } = due.shift() ?? {};
    if (!waiting) return;
    const { kind, path } = waiting;
    if (kind === "signal") listening.splice(listening.indexOf(waiting), 1);
    this.#ports.exchange.settle({ type: kind === "signal" ? "SignalTimedOut" : "TimerFired", path });
  }

  #fits(request: Request, { signal, at }: Item): boolean {
    if (request.type !== "SignalAwaited") return false;
    const { path, name, until = Number.POSITIVE_INFINITY } = request;
    return at <= until && (this.names?.get(path)?.has(signal) ?? signal === name);
  }
}
