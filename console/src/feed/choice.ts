import { type Signal, signal } from "@preact/signals";

/** What is chosen, kept in the address so that it can be sent to somebody and survives a reload: `#trace=…`. */
export class Choice {
  readonly trace: Signal<string | undefined>;

  constructor() {
    this.trace = signal(fromHash());
    addEventListener("hashchange", () => {
      this.trace.value = fromHash();
    });
  }

  /** Chooses a trace, or none: then the page follows what comes in. */
  choose(trace: string | undefined): void {
    // Replacing keeps the back button for leaving the page; every click on a row would be a step back otherwise.
    history.replaceState(null, "", trace === undefined ? location.pathname : `#trace=${encodeURIComponent(trace)}`);
    this.trace.value = trace;
  }
}

const fromHash = (): string | undefined => new URLSearchParams(location.hash.slice(1)).get("trace") ?? undefined;
