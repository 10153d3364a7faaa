import { type Signal, signal } from "@preact/signals";

export type View = "live" | "runs" | "schedules" | "sources" | "contracts";

/** What is chosen, kept in the address so that it can be sent to somebody and survives a reload: `#trace=…`, `#runs`, `#run=…`, `#schedules`, `#sources`, `#contracts`. */
export class Choice {
  readonly trace: Signal<string | undefined>;
  readonly view: Signal<View>;
  readonly run: Signal<string | undefined>;

  constructor() {
    const { trace, view, run } = fromHash();
    this.trace = signal(trace);
    this.view = signal(view);
    this.run = signal(run);
    addEventListener("hashchange", () => {
      const { trace, view, run } = fromHash();
      this.trace.value = trace;
      this.view.value = view;
      this.run.value = run;
    });
  }

  /** Chooses a trace, or none: then the page follows what comes in. */
  choose(trace: string | undefined): void {
    // Replacing keeps the back button for leaving the page; every click on a row would be a step back otherwise.
    history.replaceState(null, "", trace === undefined ? location.pathname : `#trace=${encodeURIComponent(trace)}`);
    this.trace.value = trace;
  }

  /** Chooses a run, or none of them. */
  chooseRun(run: string | undefined): void {
    history.replaceState(null, "", run === undefined ? "#runs" : `#run=${encodeURIComponent(run)}`);
    this.view.value = "runs";
    this.run.value = run;
  }
}

function fromHash(): { readonly trace: string | undefined; readonly view: View; readonly run: string | undefined } {
  const hash = new URLSearchParams(location.hash.slice(1));
  const run = hash.get("run") ?? undefined;
  const named = (["schedules", "sources", "contracts"] as const).find((one) => hash.has(one)) ?? "live";
  const view = run !== undefined || hash.has("runs") ? "runs" : named;
  return { trace: hash.get("trace") ?? undefined, view, run };
}
