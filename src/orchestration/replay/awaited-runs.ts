import { toKey, toRunId } from "../journal/identity.ts";
import type { Item } from "../journal/journal.ts";
import { principalOf } from "./action.ts";

/** What leads to the run that a step waits for: which one, or the operation that may begin one. */
export interface Awaiting {
  readonly operation?: string;
  readonly awaits?: string;
}
/** An answer that waits for its turn: to be told, or to be asked for again. */
interface Answer {
  readonly tell: () => void;
  readonly rest: () => void;
}
interface Step extends Awaiting {
  /** The run, once somebody had to know. */
  run?: string;
}

/**
 * The runs that steps wait for. The inbox tells of their ends, and what a run has to say is asked for only then: until it is
 * here, what came after the end waits for it.
 */
export class AwaitedRuns {
  readonly #run: string;
  readonly #root: string;
  /** By path: the steps that have no result yet. */
  readonly #steps = new Map<string, Step>();
  /** By path: answers that are here, and that something stands before that happened earlier. */
  readonly #answers = new Map<string, Answer>();
  /** By path: the last of the inbox that its run was said to have ended in, and goes on all the same, for somebody has retried it. */
  readonly #goneOn = new Map<string, number>();
  /** Times that are over and that an end stands before. */
  readonly #rung = new Set<string>();
  constructor(run: string, root: string) {
    this.#run = run;
    this.#root = root;
  }

  get size(): number {
    return this.#steps.size;
  }

  /** Whether an answer or a time waits for what stands before it. */
  get holdsBack(): boolean {
    return this.#answers.size > 0 || this.#rung.size > 0;
  }

  begin(path: string, { operation, awaits }: Awaiting): void {
    this.#steps.set(path, { ...(operation !== undefined && { operation }), ...(awaits !== undefined && { awaits }) });
  }

  end(path: string): void {
    this.#steps.delete(path);
  }

  /** The step waits for this run; what the inbox told up to here was not its last end. */
  sleep(path: string, run: string, upTo: number): void {
    const step = this.#steps.get(path);
    if (step) step.run = run;
    this.#goneOn.set(path, upTo);
  }

  ring(path: string): void {
    this.#rung.add(path);
  }

  /** Nobody waits for that time any more. */
  hush(path: string): void {
    this.#rung.delete(path);
  }

  hasRung(path: string): boolean {
    return this.#rung.has(path);
  }

  /** Keeps an answer until its turn has come. */
  keep(path: string, answer: Answer): void {
    this.#answers.set(path, answer);
  }

  /** Hands out what a run that has ended has said; false where that is not here yet. */
  answer(path: string): boolean {
    const answer = this.#answers.get(path);
    this.#answers.delete(path);
    answer?.tell();
    return answer !== undefined;
  }

  /** Gives up the answers that wait for their turn. */
  letGo(): void {
    const answers = [...this.#answers.values()];
    this.#answers.clear();
    for (const answer of answers) answer.rest();
  }

  /** Where the inbox says that the run has ended that a step waits for, and it has not gone on since. */
  endOf(path: string, items: readonly Item[]): Item | undefined {
    if (!tellsEnds(items)) return undefined;
    const run = this.#awaitedBy(path);
    return items.find((item) => endedIn(item) === run && this.#isNews(path, item));
  }

  /** The open steps that wait for the ends that the inbox tells of; nothing where there are none. */
  ends(items: readonly Item[], isOpen: (path: string) => boolean): ((item: Item) => readonly string[]) | undefined {
    if (this.#steps.size === 0 || !tellsEnds(items)) return undefined;
    const steps = new Map<string, string[]>();
    for (const path of this.#steps.keys()) {
      if (!isOpen(path)) continue;
      const run = this.#awaitedBy(path);
      steps.set(run, [...(steps.get(run) ?? []), path]);
    }
    return (item) => steps.get(endedIn(item) ?? "")?.filter((path) => this.#isNews(path, item)) ?? [];
  }

  #awaitedBy(path: string): string {
    const step = this.#steps.get(path);
    if (!step) return "";
    const { awaits, operation = "" } = step;
    step.run ??= awaits ?? toRunId(principalOf(this.#run).id, operation, toKey(this.#root, path));
    return step.run;
  }

  #isNews(path: string, { revision }: Item): boolean {
    return revision > (this.#goneOn.get(path) ?? -1);
  }
}

const tellsEnds = (items: readonly Item[]): boolean => items.some((item) => endedIn(item) !== undefined);

/** The run that an item of the inbox tells the end of. */
const endedIn = ({ signal, payload }: Item): string | undefined =>
  signal === "" ? (payload as { readonly ended?: string } | null)?.ended : undefined; // only runs write such items
