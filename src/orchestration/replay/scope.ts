import { Draws } from "../journal/identity.ts";

/**
 * A part of a run: the body, a branch, an undo. Keys are scope path, name and occurrence in the scope. Once a scope is
 * closed, its code gets no more answers: what it had under way is aborted, and is waited for by whoever closes it.
 */
export class Scope {
  readonly draws: Draws;
  readonly undoing: boolean;
  /** What draws begin with at the moment. */
  readonly #drawsFrom: () => string;
  readonly #path: string;
  readonly #occurrences: Map<string, number>;
  // Made when there are some: most runs have none, and each empty set is as large as a step's entries.
  #children: Set<Scope> | undefined;
  #onClose: Set<() => void> | undefined;
  #closed = false;
  /** How many steps of this scope were asked for and their result has not been taken note of. */
  #unsettled = 0;
  #onSettled: (() => void)[] = [];

  private constructor(drawsFrom: () => string, path: string, undoing: boolean, names?: Scope) {
    this.#drawsFrom = drawsFrom;
    this.#path = path;
    this.undoing = undoing;
    this.#occurrences = names ? names.#occurrences : new Map();
    this.draws = names ? names.draws : new Draws(drawsFrom, path);
  }

  static body(root: string, drawsFrom: () => string = () => root): Scope {
    return new Scope(drawsFrom, "", false);
  }
  /** Shielded from whatever ended the body. */
  static undo(root: string, path: string): Scope {
    return new Scope(() => root, `undo ${path}/`, true);
  }

  /** A part with names of its own: the `name` of what stands under a label. */
  branch(label: string, name: string): Scope {
    return this.#adopt(new Scope(this.#drawsFrom, `${this.#path}${label}/${escaped(name)}/`, this.undoing));
  }
  /** A part that can be closed by itself and shares this one's names. */
  group(): Scope {
    return this.#adopt(new Scope(this.#drawsFrom, this.#path, this.undoing, this));
  }

  /** The next path under this name: `bookings.hold`, then `bookings.hold#2`. */
  next(name: string): string {
    return `${this.#path}${this.label(name)}`;
  }
  /** The same without the scope's own path. */
  label(name: string): string {
    const occurrence = (this.#occurrences.get(name) ?? 0) + 1;
    this.#occurrences.set(name, occurrence);
    return `${escaped(name)}${occurrence === 1 ? "" : `#${occurrence}`}`;
  }

  get closed(): boolean {
    return this.#closed;
  }
  /** Calls `act` once, when this part is closed; the answer takes it back. */
  onClose(act: () => void): () => void {
    this.#onClose ??= new Set();
    this.#onClose.add(act);
    return () => void this.#onClose?.delete(act);
  }

  /** A step of this scope was asked for. */
  asked(): void {
    this.#unsettled++;
  }
  /** The result of one that was asked for has been taken note of. */
  settled(): void {
    if (--this.#unsettled > 0 || this.#onSettled.length === 0) return;
    for (const tell of this.#onSettled) tell();
    this.#onSettled = [];
  }

  /** Closes this scope and those in it; resolves when what they had under way has settled. */
  async close(): Promise<void> {
    this.#shut();
    const unsettled = this.#unsettledWithin();
    if (unsettled.length > 0)
      await Promise.all(unsettled.map((part) => new Promise<void>((resolve) => part.#onSettled.push(resolve))));
  }

  /** Lets go of a part that has come to its end; what of it is still under way keeps it. */
  leave(part: Scope): void {
    if (part.#unsettledWithin().length === 0) this.#children?.delete(part);
  }

  #shut(): void {
    this.#closed = true;
    for (const act of this.#onClose ?? []) act();
    this.#onClose?.clear();
    for (const child of this.#children ?? []) child.#shut();
  }
  #unsettledWithin(): readonly Scope[] {
    const within = [...(this.#children ?? [])].flatMap((child) => child.#unsettledWithin());
    return this.#unsettled > 0 ? [this, ...within] : within;
  }
  #adopt(child: Scope): Scope {
    this.#children ??= new Set();
    this.#children.add(child);
    if (this.closed) child.#shut();
    return child;
  }
}

// A name may come from data; it must not read like another step's path, nor like that of its undo.
const escaped = (name: string): string =>
  special.test(name) ? name.replaceAll(/[%/#]/g, encodeURIComponent).replace(/^(undo|void) /, "$1%20") : name;
const special = /[%/#]|^(?:undo|void) /;
