/** What a machine needs of its run beyond the language of workflows. It is part of the run, and not of its type. */
export interface Stretch {
  readonly "~stretch": {
    /** What the stretch before has handed on; undefined in a run's first. */
    readonly carried: unknown;
    /** `replaying`: the journal has more to say. `outdated`: there is a newer version of this workflow. */
    state(): { readonly replaying: boolean; readonly outdated: boolean };
    /** Waits, under this label, for the next signal of any of these names, in the order in which they came, until an instant. */
    next(
      label: string,
      names: readonly string[],
      until: number | undefined,
    ): PromiseLike<{ readonly signal: string; readonly payload: unknown } | undefined>;
    /** Ends the stretch, and hands this on to the next, which has the same input. Throws. */
    carry(state: unknown): never;
    /** Our own work between two deliveries. */
    hold<T>(work: () => Promise<T>): Promise<T>;
    /** The run cannot go on, and is paused with the reason. */
    stop(reason: string): Promise<never>;
  };
}
