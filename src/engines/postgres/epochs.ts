import type { Place } from "../../storage/host.ts";

interface Seen extends Place {
  /** Whose append the position is, where that is known. */
  readonly append: string | null;
}

/**
 * How far each log is known to reach: what was acknowledged, and what readers were told. A server that knows less has
 * lost something (a fail-over to a replica that lagged, a restore), and gives those positions out a second time.
 */
export class Epochs {
  readonly #seen = new Map<string, Seen>();
  readonly #report: (sentence: string) => void;
  constructor(report: (sentence: string) => void) {
    this.#report = report;
  }

  get logs(): readonly (readonly [log: string, seen: Seen])[] {
    return [...this.#seen];
  }

  seen(log: string): Seen | undefined {
    return this.#seen.get(log);
  }

  /** The server says that the log reaches here. */
  learn(log: string, { epoch, position }: Place, append: string | null = null): void {
    const known = this.#seen.get(log);
    if (known && epoch > known.epoch) {
      this.#report(
        `The log "${log}" is in epoch ${epoch}: it was at position ${known.position} in epoch ${known.epoch}, and what is there now may be something else. Readers of epoch ${known.epoch} stop.`,
      );
    }
    const further = !known || epoch > known.epoch || (epoch === known.epoch && position > known.position);
    const named = known && append !== null && epoch === known.epoch && position === known.position;
    if (further || named) this.#seen.set(log, { epoch, position, append });
  }

  /** Whether the log ends before what is known of it. */
  isBehind(log: string, { epoch, position }: Place): boolean {
    const known = this.#seen.get(log);
    return known !== undefined && epoch <= known.epoch && (epoch < known.epoch || position < known.position);
  }
}
