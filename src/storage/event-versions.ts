import { type Clock, Fault } from "../contracts/index.ts";
import { toColumns } from "./columns.ts";
import type { Declarations, LiveProcess } from "./declarations.ts";
import type { Collection, Engine, Write } from "./engine.ts";
import type { Encoded, EventCodec } from "./event-codec.ts";

/**
 * In which version events may be written: one that every process could read that ran when it was settled, and every one
 * that began afterwards. Keyed by log and type. `asked`: who is about to settle a newer one.
 */
const rows: Collection = {
  name: "event-version",
  columns: toColumns({ log: "text", version: "number", asked: "text" }),
  indexes: [["log"], ["asked"]],
};
interface VersionRow {
  readonly type: string;
  readonly version: number;
}

/** An event that is not written as this code declares it, for others who run could not read that. */
export interface HeldEvent {
  readonly event: string;
  readonly version: number;
  /** The version that is written meanwhile, once it is settled; missing where there is no way down, so that commands fail that emit it. */
  readonly writes?: number;
  readonly by: readonly {
    readonly node: string;
    readonly process: string;
    readonly since: Date;
    /** Up to which version it reads the event; 0: it has to read the event, and does not know it. */
    readonly reads: number;
  }[];
}

interface VersionPorts {
  readonly engine: Engine;
  readonly log: string;
  readonly codec: EventCodec;
  readonly clock: Clock;
  readonly declarations: Pick<Declarations, "others">;
  readonly node: string;
  /** Whether nobody else can share the log: then nothing is asked and nothing kept. */
  readonly alone: boolean;
  readonly write: (documents: readonly Write[]) => Promise<void>;
  readonly report: (sentence: string) => void;
}

/** How long it is believed that a version is held up, in ms; who emits the event more often is not to ask each time. */
const believedMs = 1_000;
const mostAttempts = 50;
const page = 1_000;

/**
 * Writes events in a version that every process reads that runs. Whoever begins says what it reads *before* it looks at
 * what is settled, and takes back what is being settled; whoever settles asks, looks who is there, and settles only if
 * nobody has taken it back. So one of the two sees the other. It is settled once for each version, and remembered. An older
 * version that is written meanwhile is settled in the same way: what is older still may begin at any moment.
 */
export class EventVersions {
  readonly #ports: VersionPorts;
  /** The newest version of each type that is settled, as far as this process knows. */
  readonly #settled = new Map<string, number>();
  readonly #looks = new Map<string, { readonly until: number; readonly held: Promise<HeldEvent | undefined> }>();
  readonly #told = new Set<string>();
  #asked = 0;
  constructor(ports: VersionPorts) {
    this.#ports = ports;
  }

  /** Once this process has said what it reads. `stored`: what was in the log before. Throws for what it cannot read. */
  async start(stored: readonly VersionRow[]): Promise<void> {
    const { engine, alone } = this.#ports;
    if (alone) return;
    await engine.define(rows);
    for (const row of stored) this.#note(row);
    await this.check();
  }

  /** Throws a sentence where events may be written that this process cannot read. */
  async check(): Promise<void> {
    this.#checkRows(await this.#takeBack());
  }

  /** As `check`, once others went on without this process: that is reported. Throws only where it cannot be found out. */
  async checkAgain(): Promise<void> {
    const settled = await this.#takeBack();
    try {
      this.#checkRows(settled);
    } catch (error) {
      this.#ports.report(toLapsed(error as Error)); // what codec.check throws
    }
  }

  /** Takes back what others are about to settle, and gives what is settled. */
  async #takeBack(): Promise<readonly VersionRow[]> {
    const { engine, log } = this.#ports;
    const asked = { where: { log: { equals: log }, asked: { not: null } }, limit: page };
    while ((await engine.find(rows.name, asked)).length > 0) await engine.claim(rows.name, asked, { asked: null });
    const settled: VersionRow[] = [];
    for (let after: string | undefined; ; ) {
      const query = {
        where: { log: { equals: log } },
        limit: page,
        ...(after !== undefined && { after: { key: after } }),
      };
      const found = await engine.find(rows.name, query);
      settled.push(...found.map(({ data }) => data as VersionRow)); // only this file writes it
      after = found.at(-1)?.key;
      if (after === undefined) return settled;
    }
  }

  #checkRows(settled: readonly VersionRow[]): void {
    const { log, codec } = this.#ports;
    codec.check(
      log,
      settled.filter(({ version }) => version > 0),
      "takes",
    );
    for (const row of settled) this.#note(row);
  }

  /** An event on its way to the log: at once, but where its version is new. */
  encode(type: string, payload: unknown): Encoded | Promise<Encoded> {
    const { alone, codec } = this.#ports;
    return alone || this.#isSettled(type) ? codec.encode(type, payload) : this.#encodeNew(type, payload);
  }

  /** The events of this code's own contracts that are held up at present. */
  async held(): Promise<readonly HeldEvent[]> {
    const { codec, alone, declarations } = this.#ports;
    if (alone) return [];
    const open = codec.known.filter(({ type, written }) => written && !this.#isSettled(type));
    if (open.length === 0) return [];
    const others = await declarations.others();
    return open.flatMap(({ type }) => this.#heldBy(others, type) ?? []);
  }

  async #encodeNew(type: string, payload: unknown): Promise<Encoded> {
    const { codec } = this.#ports;
    const held = await this.#look(type);
    if (!held) return codec.encode(type, payload);
    const older = held.writes === undefined ? undefined : await codec.encodeOlder(type, payload, held.writes);
    if (older) return older;
    // Callers may read this, so it names processes as nobody outside knows them; the status says where they run.
    const by = held.by.map(({ node }) => node).join(", ");
    throw new Fault(
      "Unavailable",
      `${type} is not written in version ${held.version} yet, because ${processes(held.by.length)} ${by} cannot read that. Nothing was written; try again when what runs there has ended, or was replaced by newer code.`,
      { outcome: "not done" },
    );
  }

  /** What holds it up; those who want to know at the same time, or soon after, ask once. */
  #look(type: string): Promise<HeldEvent | undefined> {
    const now = this.#ports.clock.monotonic();
    const known = this.#looks.get(type);
    if (known && now < known.until) return known.held;
    const held = this.#settle(type);
    this.#looks.set(type, { until: now + believedMs, held });
    held.then(
      (found) => this.#tell(type, found),
      () => this.#looks.delete(type),
    );
    return held;
  }

  /** Settles the present version, or where somebody cannot read that, the one that is written meanwhile. */
  async #settle(type: string): Promise<HeldEvent | undefined> {
    const { engine, log, codec, declarations, node, write } = this.#ports;
    const key = `${log}/${type}`;
    const look = async () => this.#heldBy(await declarations.others(), type);
    const toWritten = (held: HeldEvent | undefined) => (held ? held.writes : codec.versionOf(type));
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const [row] = await engine.find(rows.name, { key, limit: 1 });
      if (row) this.#note(row.data as VersionRow); // only this file writes it
      if (this.#isSettled(type)) return undefined;
      const held = await look();
      const version = toWritten(held);
      if (version === undefined || this.#isSettled(type, version)) return held;
      const initial = { log, type, version: 0, asked: null };
      if (!row) await write([{ collection: rows.name, increment: key, by: { asks: 1 }, initial }]);
      const asked = `${node}/${++this.#asked}`;
      if ((await engine.claim(rows.name, { key, limit: 1 }, { asked })).length === 0) continue;
      const meanwhile = await look();
      if (toWritten(meanwhile) !== version) continue;
      const mine = { key, where: { asked: { equals: asked }, version: { to: version } }, limit: 1 };
      if ((await engine.claim(rows.name, mine, { version, asked: null })).length === 0) continue;
      this.#note({ type, version });
      return meanwhile;
    }
    throw new Fault(
      "Unavailable",
      `It could not be settled in which version ${type} is written, for others began, or settled it, ${mostAttempts} times meanwhile. Nothing was written; try again.`,
      { outcome: "not done" },
    );
  }

  #heldBy(others: readonly LiveProcess[], type: string): HeldEvent | undefined {
    const { codec } = this.#ports;
    const version = codec.versionOf(type);
    const by = others.flatMap(({ node, process, since, events, contracts }) => {
      const isObliged = contracts.includes(type.slice(0, type.indexOf(".")));
      const reads = events[type] ?? (isObliged ? 0 : version);
      return reads < version ? [{ node, process, since: new Date(since), reads }] : [];
    });
    if (by.length === 0) return undefined;
    const writes = Math.min(...by.map(({ reads }) => reads));
    return { event: type, version, ...(codec.leadsDown(type, writes) && { writes }), by };
  }

  #tell(type: string, held: HeldEvent | undefined): void {
    const { report, codec } = this.#ports;
    if (held && !this.#told.has(type)) {
      this.#told.add(type);
      const how =
        held.writes === undefined
          ? "so commands that emit it fail as Unavailable"
          : `so it is written in version ${held.writes}`;
      report(`${toHeldBy(held)}, ${how} until then.`);
    } else if (!held && this.#told.delete(type))
      report(`${type} is written in version ${codec.versionOf(type)} from now on.`);
  }

  #isSettled(type: string, version = this.#ports.codec.versionOf(type)): boolean {
    return (this.#settled.get(type) ?? 0) >= version;
  }

  #note({ type, version }: VersionRow): void {
    if (version > (this.#settled.get(type) ?? 0)) this.#settled.set(type, version);
  }
}

const toLapsed = ({ message }: Error): string =>
  `This process was silent for longer than its lease, so the others went on without it. ${message}`;

function toHeldBy({ event, version, by }: HeldEvent): string {
  const names = by.map(
    ({ process, reads }) => `${process} (${reads === 0 ? "does not know it" : `reads it up to version ${reads}`})`,
  );
  return `${event} is to be written in version ${version} when ${names.join(", ")} ${by.length === 1 ? "has" : "have"} ended`;
}

const processes = (count: number): string => (count === 1 ? "the process" : `${count} processes:`);
