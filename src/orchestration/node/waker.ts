import type { Clock } from "../../contracts/index.ts";
import type { Journal, RunRow } from "../journal/journal.ts";
import type { Verdict } from "../replay/verdict.ts";
import type { ActiveRuns } from "./active-runs.ts";
import { adopt } from "./adoption.ts";
import { Alarm } from "./alarm.ts";
import type { Catalog } from "./catalog.ts";
import type { Membership } from "./membership.ts";
import { type Reading, Replays } from "./replays.ts";
import { Trials } from "./trials.ts";

export interface WakerPorts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly catalog: Catalog;
  readonly active: ActiveRuns;
  readonly membership: Membership;
  readonly mostActive: number;
  readonly tell: (row: RunRow, verdict: Verdict) => void;
  /** A run has come to its end without having been in memory. */
  readonly ended: (row: RunRow, verdict: Verdict) => void;
  readonly failed: (error: unknown) => void;
  /** A run stands in line for its operation now. */
  readonly queued: (operation: string) => void;
}

const wakeAtOnce = 64;
const putBackMs = 5_000;
const tidyAtOnce = 4_096;
/** How often the due runs of other nodes are looked for, which may have died since they said when. */
const pollMs = 1_000;

/** Claims the runs that are due, as many as there is room for, and brings them back from their journals. */
export class Waker {
  readonly #ports: WakerPorts;
  readonly #alarm: Alarm;
  readonly #trials: Trials;
  readonly #replays = new Replays();
  #stopped = false;
  /** Whether runs were left waiting because too many are in memory. */
  #backlog = false;
  /** Whether rows may name this node as the owner of runs that it does not have. */
  #untidy = false;
  /** Runs on their way into memory: whether something was told them after their inbox may have been read. */
  readonly #coming = new Map<string, boolean>();
  /** How the rows of runs forget a claim that came to nothing here, until they have. */
  readonly #uncounts = new Map<string, () => Promise<unknown>>();

  constructor(ports: WakerPorts) {
    this.#ports = ports;
    this.#trials = new Trials(ports.clock, (row) => void this.#try(row));
    this.#alarm = new Alarm(
      ports.clock,
      () => this.#look(),
      (error) => {
        this.#untidy = true; // a claim may have taken effect all the same
        ports.failed(error);
      },
    );
  }

  get hasRoom(): boolean {
    return this.#ports.active.size < this.#ports.mostActive;
  }

  /** Enough that looking is worth while: many are claimed in one commit as fast as one. */
  get #hasRoomForSome(): boolean {
    const { active, mostActive } = this.#ports;
    return mostActive - active.size - this.#trials.size >= Math.min(wakeAtOnce, Math.ceil(mostActive / 2));
  }

  now(): Promise<void> {
    return this.#alarm.now();
  }
  at(dueAt: number): void {
    this.#alarm.at(dueAt);
  }

  /** Something has come into a run's inbox: if the run is on its way into memory, it looks once it is there. */
  tell(run: string): void {
    if (this.#coming.has(run)) this.#coming.set(run, true);
  }

  /** Takes up a run that is nobody's, whatever its workflow: somebody wants it to end. */
  async seize(run: string): Promise<void> {
    const { journal, membership } = this.#ports;
    if (this.#stopped || !membership.isIn) return; // whoever claims it next sees it in its inbox
    const { node } = membership;
    const row = await journal.seize(run, node);
    if (row) await this.#adopt(row, node);
  }

  /** A run has left memory, so there is room again. */
  left({ run }: RunRow, verdict: Verdict, { told }: { readonly told: boolean }): void {
    this.#trials.over(run);
    if (verdict.kind === "suspended" && verdict.wakeAt !== null) this.#alarm.at(verdict.wakeAt);
    if (verdict.kind === "lost" || verdict.kind === "fenced") {
      this.#untidy = true;
      this.#alarm.at(this.#ports.clock.now() + pollMs);
    }
    if ((this.#backlog && this.#hasRoomForSome) || (told && verdict.kind === "suspended")) void this.#alarm.now();
  }

  /** A run has written something: whatever it is, it is not what ended its nodes so far. */
  progressed(run: string): void {
    this.#trials.over(run);
  }

  /** What waits for its trial is somebody else's by now, or will be. */
  lost(): void {
    this.#trials.clear();
    this.#uncounts.clear();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#alarm.stop();
    const { journal, clock, membership, failed } = this.#ports;
    for (const { run } of this.#trials.clear()) await journal.putBack(run, membership.node, clock.now()).catch(failed);
  }

  async #look(): Promise<number | undefined> {
    const { journal, clock, catalog, active, membership, mostActive } = this.#ports;
    const knows = catalog.names;
    if (this.#untidy) await this.#tidy();
    while (!this.#stopped) {
      if (!membership.isIn) return undefined; // once it is on the list again, it looks
      const room = Math.min(wakeAtOnce, mostActive - active.size - this.#trials.size);
      this.#backlog = room <= 0;
      if (room <= 0) break;
      const { node } = membership;
      const rows = await journal.claimDue(node, knows, clock.now(), room);
      await Promise.all(rows.map((row) => this.#adopt(row, node)));
      if (rows.length < room) break;
    }
    this.#trials.next();
    if (this.#backlog) return undefined; // the next run that leaves memory looks again
    const due = await journal.nextDue(knows);
    return journal.nodes.alone ? due : Math.min(due ?? Number.POSITIVE_INFINITY, clock.now() + pollMs);
  }

  async #try(row: RunRow): Promise<void> {
    const { membership, failed } = this.#ports;
    if (!this.#stopped && membership.isIn) await this.#adopt(row, membership.node).catch(failed);
  }

  async #adopt(row: RunRow, node: string): Promise<void> {
    const { journal, clock, active, membership, tell, ended } = this.#ports;
    let reading: Reading | undefined;
    let isReplayed = false;
    let uncount: (() => Promise<unknown>) | undefined;
    this.#coming.set(row.run, false);
    try {
      const adopted = await adopt(row, node, {
        ...this.#ports,
        load: async () => {
          reading = await this.#replays.read(() => journal.load(row.run, row.from));
          return reading;
        },
        mayTry: (...suspect) => this.#trials.mayTry(...suspect),
        counting: (how) => {
          uncount = how;
        },
      });
      if (adopted.kind === "suspected") return;
      if (adopted.kind === "later" || adopted.kind === "paused" || adopted.kind === "ended") this.#trials.over(row.run);
      if (adopted.kind === "later") this.#alarm.at(adopted.at);
      else if (adopted.kind === "queued") this.#ports.queued(row.operation);
      else if (adopted.kind === "paused") tell(row, adopted);
      else if (adopted.kind === "ended") ended(row, adopted.verdict);
      else if (adopted.kind === "fenced") this.left(row, adopted, { told: false });
      else if (membership.isIn && membership.node === node) {
        active.activate(adopted.known, adopted.row, { ...adopted, replayed: reading?.over }, adopted.size);
        isReplayed = true;
        if (this.#coming.get(row.run)) void active.poke(row.run).catch(this.#ports.failed); // it looks again before it suspends
      } else this.#trials.over(row.run); // counted out meanwhile: the run is left to whoever takes over
    } catch (error) {
      tell(row, { kind: "lost", error });
      this.#untidy = true;
      this.#trials.over(row.run);
      if (uncount) this.#uncounts.set(row.run, uncount);
      await this.#giveBack(row.run, node, clock.now() + putBackMs);
      this.#alarm.at(clock.now() + putBackMs);
    } finally {
      this.#coming.delete(row.run);
      if (!isReplayed) reading?.over();
    }
  }

  /** Gives a run back as it was: that it could not be taken up says nothing of it, for this node is there still. */
  async #giveBack(run: string, node: string, at: number): Promise<void> {
    await this.#uncounts.get(run)?.().catch(this.#ports.failed);
    await this.#ports.journal.putBack(run, node, at);
    this.#uncounts.delete(run);
  }

  /** Makes due what this node owns by its row and not in fact: its journal was out of reach at the wrong moment. */
  async #tidy(): Promise<void> {
    const { journal, clock, active, membership } = this.#ports;
    const { node } = membership;
    this.#untidy = false;
    try {
      for (const run of await journal.heldBy(node, tidyAtOnce))
        if (!active.has(run) && !this.#trials.has(run)) await this.#giveBack(run, node, clock.now());
    } catch (error) {
      this.#untidy = true;
      throw error;
    }
  }
}
