import type { Control, Entry, InboxSeen, Item, NewEntry, Thrown } from "../journal/journal.ts";

/** Something that an operator has asked of a run and that its journal says nothing of yet. */
export type Asked = Item & { readonly control: Control };

/** What operators want of a run, taken out of its inbox one by one. `entries` are those of the present stretch. */
export class Steering {
  /** Nothing where it has taken note of nothing, as most runs. */
  #seen: Set<number> | undefined;
  readonly #before: InboxSeen;
  /** The last of the inbox that was meant for a life of the run which has ended. */
  readonly #over: number;
  #items: readonly Asked[] = [];

  constructor(entries: readonly Entry[], items: readonly Item[]) {
    const [first] = entries;
    this.#before = first?.type === "Continued" ? first.inbox : { upTo: -1, left: [] };
    this.#seen = toItems(entries);
    const retried = entries.findLast((entry) => entry.type === "Retried");
    this.#over = retried?.over ?? -1;
    this.look(items);
  }

  /** The inbox as it is now. */
  look(items: readonly Item[]): void {
    const { upTo, left } = this.#before;
    this.#items = items.filter(
      (item): item is Asked =>
        item.control !== undefined &&
        !this.#seen?.has(item.revision) &&
        item.revision > this.#over &&
        (item.revision > upTo || left.includes(item.revision)),
    );
  }

  /** What nobody has taken note of, in the order in which it was asked. */
  get open(): readonly Asked[] {
    return this.#items;
  }

  /** It is written down, or will be with the next commit. */
  take({ revision }: Asked): void {
    this.#seen ??= new Set();
    this.#seen.add(revision);
    this.#items = this.#items.filter((item) => item.revision !== revision);
  }

  /** What it comes to where the run is not in memory: an end before all else, otherwise what was asked last. */
  get standing(): Asked | undefined {
    const ends = this.#items.find(({ control }) => control.to === "terminate");
    return ends ?? this.#items.at(-1);
  }
}

/** What of the inbox was taken note of. */
function toItems(entries: readonly Entry[]): Set<number> | undefined {
  let items: Set<number> | undefined;
  for (const written of entries) {
    const entry = written.type === "TakenBack" ? written.was : written;
    if ((entry.type !== "Cancelled" && entry.type !== "Steered") || entry.item === undefined) continue;
    items ??= new Set();
    items.add(entry.item);
  }
  return items;
}

/** How it stands in the journal. */
export const toNote = ({ control, by, at, revision }: Asked): NewEntry => ({
  type: "Steered",
  ...{ to: control.to, by, asked: at, item: revision },
  ...(control.reason !== undefined && { reason: control.reason }),
});

/** Why a run is paused that somebody has paused, for a person. */
export const pauseReason = ({ by, reason }: { readonly by: string; readonly reason?: string | undefined }): string =>
  `Paused by ${by}${reason === undefined ? "." : `: ${reason}`}`;

/** Entries as they are written down at one moment. */
export const datedAt = (at: number, entries: readonly NewEntry[]): readonly Entry[] =>
  entries.map((entry) => ({ ...entry, at }));

/** What a cancelled or terminated run has come to. */
export function toEnding(
  to: "cancel" | "terminate",
  run: string,
  { by, reason }: { readonly by: string; readonly reason?: string | undefined },
): Thrown {
  const because = reason === undefined ? "." : `: ${reason}`;
  return to === "cancel"
    ? { kind: "fault", code: "Cancelled", message: `Run ${run} was cancelled by ${by}${because}` }
    : { kind: "fault", code: "Terminated", message: `Run ${run} was terminated by ${by}${because}` };
}
