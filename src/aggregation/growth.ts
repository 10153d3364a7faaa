import type { Part } from "../contracts/index.ts";
import { assemble } from "./assemble.ts";
import type { Reading } from "./reading/reader.ts";
import type { AnyView } from "./view.ts";

/** Brings what was fused into the form of the contract; `undefined` where it breaks it. */
type Check = (fields: { readonly [field: string]: unknown }) => Promise<unknown>;

/**
 * Tells of an answer while its sources are still answering: what the rules make of those that have. Nothing is told
 * before every required source has a value, for until then the answer may still be a failure. A field whose default
 * would count waits for the rest.
 */
export class Growth {
  readonly #view: AnyView;
  readonly #check: Check;
  readonly #tell: (part: Part) => void;
  readonly #readings = new Map<string, Reading>();
  #telling: Promise<void> | undefined;
  #stale = false;
  #ended = false;
  constructor(view: AnyView, check: Check, tell: (part: Part) => void) {
    this.#view = view;
    this.#check = check;
    this.#tell = tell;
  }

  add(reading: Reading): void {
    this.#readings.set(reading.source, reading);
    this.#stale = true;
    // The last one makes the answer whole, and that is told by the answer itself.
    if (this.#readings.size < this.#view.sources.length) this.#telling ??= this.#run();
  }

  /** From here on nothing more is told. */
  end(): void {
    this.#ended = true;
  }

  async #run(): Promise<void> {
    // One at a time, and of several sources that answer in one go only what they come to together.
    while (this.#stale && !this.#ended) {
      await Promise.resolve();
      this.#stale = false;
      const pending = this.#view.sources.map(({ name }) => name).filter((name) => !this.#readings.has(name));
      const fields = this.#fused(pending);
      const wire = fields && (await this.#check(fields).catch(() => undefined));
      if (wire !== undefined && !this.#ended && !this.#stale) this.#tell({ wire, pending });
    }
    this.#telling = undefined;
  }

  #fused(pending: readonly string[]): { readonly [field: string]: unknown } | undefined {
    const isThere = (name: string): boolean =>
      ["fresh", "stale"].includes(this.#readings.get(name)?.meta.state ?? "down");
    if (pending.length === 0 || !this.#view.require.every(isThere)) return undefined;
    const fields = Object.entries(this.#view.fields).flatMap(([name, plan]): readonly [string, unknown][] => {
      const { value, meta } = assemble(name, plan, this.#readings);
      const waits = meta.state === "default" && plan.sources.some((source) => pending.includes(source.name));
      return value === undefined || waits ? [] : [[name, value]];
    });
    return fields.length === 0 ? undefined : Object.fromEntries(fields);
  }
}
