import type { Place } from "../../storage/host.ts";

/** Where a log was seen to reach, and whose append is at its end. */
export interface Head extends Place {
  readonly append: string | null;
}
interface Seen extends Place {
  /** The last append that is known by its position: as long as it is there, this is the log of before. */
  readonly named: { readonly position: number; readonly append: string } | undefined;
}

/**
 * How far each log is known to reach: what was acknowledged, and what readers were told. A server that knows less, or
 * something else, has lost something (a fail-over to a replica that lagged, a restore), and gives those positions out a
 * second time.
 */
export class Epochs {
  readonly #seen = new Map<string, Seen>();
  readonly #report: (sentence: string) => void;
  readonly #begun: (log: string) => void;
  /** `begun` is told when a log is in a newer epoch than it was before. */
  constructor(report: (sentence: string) => void, begun: (log: string) => void) {
    this.#report = report;
    this.#begun = begun;
  }

  get logs(): readonly string[] {
    return [...this.#seen.keys()];
  }

  seen(log: string): Seen | undefined {
    return this.#seen.get(log);
  }

  /** The server says that the log reaches here. */
  learn(log: string, { epoch, position, append }: Head): void {
    const known = this.#seen.get(log);
    if (known && epoch < known.epoch) return;
    const named = append === null ? undefined : { position, append };
    if (!known || epoch > known.epoch) {
      this.#seen.set(log, { epoch, position, named });
      if (known) this.#begin(log, known, epoch);
      return;
    }
    const isNewer = named && named.position > (known.named?.position ?? 0);
    if (isNewer || position > known.position)
      this.#seen.set(log, {
        epoch,
        position: Math.max(position, known.position),
        named: isNewer ? named : known.named,
      });
  }

  /** Whether the log ends before what is known of it. */
  isBehind(log: string, { epoch, position }: Place): boolean {
    const known = this.#seen.get(log);
    return known !== undefined && epoch <= known.epoch && (epoch < known.epoch || position < known.position);
  }

  #begin(log: string, known: Seen, epoch: number): void {
    this.#report(
      `The log "${log}" is in epoch ${epoch}: it was at position ${known.position} in epoch ${known.epoch}, and what is there now may be something else. Readers of epoch ${known.epoch} stop.`,
    );
    this.#begun(log);
  }
}
