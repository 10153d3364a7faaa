import { type Signal, signal } from "@preact/signals";
import type { Entry } from "./journal.ts";
import type { Action, RunState, RunSummary } from "./words.ts";

const everyMs = 2_000;
const soonMs = 300;

/** The runs as the backend tells them, asked for again while somebody looks. */
export class RunsDesk {
  readonly runs: Signal<readonly RunSummary[]> = signal([]);
  readonly more: Signal<string | undefined> = signal(undefined);
  readonly loaded: Signal<boolean> = signal(false);
  readonly state: Signal<RunState | "all"> = signal("all");
  readonly words: Signal<string> = signal("");
  /** Of the run that is looked at. */
  readonly entries: Signal<readonly Entry[] | undefined> = signal(undefined);
  readonly run: Signal<RunSummary | undefined> = signal(undefined);
  /** What went wrong, in a sentence. */
  readonly trouble: Signal<string | undefined> = signal(undefined);
  /** Whether that was in looking: then it is over with a look that succeeds, and otherwise with the next thing that is done. */
  #troubleOfLook = false;
  #chosen: string | undefined;
  #asked = 0;

  /** Asks now and again; gives back how to stop. */
  watch(): () => void {
    void this.look();
    const timer = setInterval(() => void this.look(), everyMs);
    return () => clearInterval(timer);
  }

  choose(run: string | undefined): void {
    if (run === this.#chosen) return;
    this.#chosen = run;
    this.trouble.value = undefined;
    this.entries.value = undefined;
    this.run.value = this.runs.value.find((one) => one.run === run);
    void this.look();
  }

  /** By state, and by words: a tag (`tenant=acme`), a key (`key:1234`), an operation (`trips.book`), or how an id begins. */
  filter(words: string, state: RunState | "all"): void {
    this.words.value = words;
    this.state.value = state;
    this.more.value = undefined;
    void this.look();
  }

  async look(): Promise<void> {
    const asked = ++this.#asked;
    const chosen = this.#chosen;
    try {
      const list = await ask<{ readonly runs: readonly RunSummary[]; readonly next?: string }>(
        `/runs?${this.#query()}`,
      );
      const own =
        chosen === undefined
          ? undefined
          : await ask<{ readonly runs: readonly RunSummary[] }>(`/runs?id=${encodeURIComponent(chosen)}&limit=1`);
      const history =
        own?.runs[0] &&
        (await ask<{ readonly entries: readonly Entry[] }>(`/runs/${encodeURIComponent(own.runs[0].run)}/history`));
      if (asked !== this.#asked) return; // somebody has asked for something else meanwhile
      // Asked for later than the list, so it may stand otherwise by now.
      const present = own?.runs[0];
      this.runs.value = list.runs.map((run) => (run.run === present?.run ? present : run));
      this.more.value = list.next;
      this.run.value = present;
      this.entries.value = history?.entries;
      if (this.#troubleOfLook) this.trouble.value = undefined;
      this.#troubleOfLook = false;
    } catch (error) {
      if (asked === this.#asked) {
        this.trouble.value = (error as Error).message;
        this.#troubleOfLook = true;
      }
    }
    this.loaded.value = true;
  }

  steer(run: string, action: Action, reason: string): Promise<unknown> {
    return this.#do(`/runs/${encodeURIComponent(run)}/${action}`, reason === "" ? {} : { reason });
  }

  signal(run: string, name: string, payload: unknown): Promise<unknown> {
    return this.#do(`/console/runs/${encodeURIComponent(run)}/signals/${encodeURIComponent(name)}`, payload);
  }

  /** The steps that a fork does a second time; undefined where nobody can tell. */
  async foreseeFork(run: string, step: string | undefined): Promise<readonly string[] | undefined> {
    const query = new URLSearchParams(step === undefined ? {} : { step });
    const path = `/runs/${encodeURIComponent(run)}/fork?${query}`;
    return ask<{ readonly again: readonly string[] }>(path).then(
      ({ again }) => again,
      () => undefined, // the fork itself says why
    );
  }

  /** Gives back the new run's id. */
  async fork(run: string, step: string | undefined, input: unknown): Promise<string | undefined> {
    const body = { ...(step !== undefined && { step }), ...(input !== undefined && { input }) };
    const forked = await this.#do(`/runs/${encodeURIComponent(run)}/fork`, body);
    return (forked as { readonly run?: string } | undefined)?.run;
  }

  async #do(path: string, body: unknown): Promise<unknown> {
    try {
      const done = await ask(path, body);
      this.trouble.value = undefined;
      await this.look();
      setTimeout(() => void this.look(), soonMs); // its node may take a moment
      return done;
    } catch (error) {
      this.trouble.value = (error as Error).message;
      this.#troubleOfLook = false;
      return undefined;
    }
  }

  #query(): URLSearchParams {
    const query = new URLSearchParams({ limit: "100" });
    if (this.state.value !== "all") query.set("state", this.state.value);
    for (const word of this.words.value.split(/\s+/).filter(Boolean)) {
      const [, tag, value] = /^([\w-]+)=(.*)$/.exec(word) ?? [];
      const [, key] = /^key:(.+)$/.exec(word) ?? [];
      if (key !== undefined) query.set("key", key);
      else if (tag !== undefined && value !== undefined) query.set(`tag.${tag}`, value);
      else if (/^[a-z][\w-]*\.\w+@\d+$/i.test(word)) query.set("workflow", word);
      else if (/^[a-z][\w-]*\.\w+$/i.test(word)) query.set("operation", word);
      else query.set("id", word);
    }
    return query;
  }
}

async function ask<T>(path: string, body?: unknown): Promise<T> {
  const init =
    body === undefined
      ? {}
      : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(path, init);
  const said = (await answer.json().catch(() => ({}))) as { readonly title?: string; readonly detail?: string }; // a problem document, or the answer
  if (answer.ok) return said as T;
  throw new Error(said.detail ?? said.title ?? `The backend answered ${answer.status}.`);
}
