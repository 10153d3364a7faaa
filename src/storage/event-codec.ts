import {
  type AnyContract,
  type AnyEvent,
  type AnySchema,
  eventsOf,
  type Named,
  type Projection,
  toJsonSchema,
  toProjection,
  type Upcast,
} from "../contracts/index.ts";
import { Halt } from "./halt.ts";
import { toExactJson } from "./json.ts";
import { parse } from "./parse.ts";

/** An event on its way to the log: the written side as text, and the read side as everybody will see it. */
export interface Encoded {
  readonly type: string;
  readonly version: number;
  readonly json: string;
  readonly value: unknown;
}
interface Known {
  readonly event: AnyEvent & Named;
  readonly project: Projection;
}

/** How the events of a storage are written and read. */
export class EventCodec {
  readonly #events = new Map<string, Known>();
  readonly #owned = new Set<string>();
  readonly #older = new Map<AnySchema, Projection>();

  /** Learns a contract whose events are written here: whatever the log holds of it has to be readable. */
  own(contract: AnyContract): void {
    this.#owned.add(contract["~contract"].name);
    for (const event of eventsOf(contract).values()) this.learn(event);
  }

  /** Learns an event that is read here. Throws where it is declared in two ways, for only one of them could be followed. */
  learn(event: AnyEvent & Named): void {
    const known = this.#events.get(event.id)?.event;
    if (known && known.version !== event.version) {
      throw new TypeError(
        `The event ${event.id} is declared twice, in version ${known.version} and in version ${event.version}. Import one contract everywhere.`,
      );
    }
    if (!known) this.#events.set(event.id, { event, project: toProjection(toJsonSchema(event.schema)) });
  }

  /** The contracts whose events are written here. */
  get owned(): readonly string[] {
    return [...this.#owned];
  }

  /** Of how many events something is known. */
  get size(): number {
    return this.#events.size;
  }

  /** What is known of events, in which version, and whether it is written here. */
  get known(): readonly { readonly type: string; readonly version: number; readonly written: boolean }[] {
    return [...this.#events].map(([type, { event }]) => ({
      type,
      version: event.version,
      written: this.#owned.has(contractOf(type)),
    }));
  }

  /** The version that an event is written in, and read up to. */
  versionOf(type: string): number {
    return this.#known(type).event.version;
  }

  /** Whether there is a way from the present version of an event down to an older one. */
  leadsDown(type: string, version: number): boolean {
    const { from } = this.#known(type).event;
    return version >= 1 && from.slice(version - 1).every(({ down }) => down);
  }

  /** Throws for the first type that this code cannot read of those that the log `holds`, and says which. */
  check(log: string, stored: readonly { readonly type: string; readonly version: number }[], holds = "holds"): void {
    for (const { type, version } of stored) {
      const known = this.#events.get(type)?.event;
      if (!known && this.#owned.has(contractOf(type))) {
        throw new Error(
          `The log "${log}" ${holds} events ${type} in version ${version}, and the contract does not declare ${type} any more. Declare it again: what was written stays written.`,
        );
      }
      if (known && !isVersion(version)) {
        throw new Error(
          `The log "${log}" ${holds} events ${type} in version ${version}, which is no version: they are 1, 2, 3 and so on. No upcaster leads from there to version ${known.version}.`,
        );
      }
      if (known && version > known.version) {
        throw new Error(
          `The log "${log}" ${holds} events ${type} in version ${version}, and this code knows it up to version ${known.version}. Start the newer code, or declare version ${version} with its upcasters.`,
        );
      }
    }
  }

  /** Keeps what the schema declares, checks it, and reads it back as it will be read from the disk. */
  encode(type: string, payload: unknown): Encoded | Promise<Encoded> {
    const { event, project } = this.#known(type);
    const json = toExactJson(project(payload).value, `The event ${type}`);
    const { version } = event;
    const value = this.decode(type, version, json);
    return value instanceof Promise
      ? value.then((read) => ({ type, version, json, value: read }))
      : { type, version, json, value };
  }

  /**
   * As `encode`, in an older version to which there is a way down: its value is what readers of that make of it. Nothing
   * where this payload cannot be said in that version.
   */
  async encodeOlder(type: string, payload: unknown, version: number): Promise<Encoded | undefined> {
    const { event, project } = this.#known(type);
    let json = toExactJson(project(payload).value, `The event ${type}`);
    let read = await parse(event.schema, JSON.parse(json), () => `An event ${type} does not fit its schema`);
    for (let at = event.version - 1; at >= version; at--) {
      const { schema, down } = event.from[at - 1] as Upcast; // event() saw that there is one from each earlier version
      const what = `The event ${type}, led down to version ${at},`;
      const older = down?.(read);
      if (older === undefined) return undefined;
      json = toExactJson(this.#projectOlder(schema)(older).value, what);
      read = await parse(schema, JSON.parse(json), () => `${what} does not fit the schema of that version`);
    }
    return { type, version, json, value: await this.decode(type, version, json) };
  }

  /** The read side of a stored event, led through the upcasters to the version that the contract declares. */
  decode(type: string, version: number, json: string): unknown | Promise<unknown> {
    const event = this.#events.get(type)?.event;
    if (!event) throw new Halt(`The log holds events ${type}, which this code does not know. Start the newer code.`);
    if (!isVersion(version) || version > event.version) {
      throw new Halt(
        `The log holds events ${type} in version ${version}, and this code knows it up to version ${event.version}. Start the newer code.`,
      );
    }
    const value: unknown = JSON.parse(json);
    return version === event.version
      ? parse(event.schema, value, () => `An event ${type} does not fit its schema`)
      : this.#upcast(event, version, value);
  }

  async #upcast(event: AnyEvent & Named, version: number, stored: unknown): Promise<unknown> {
    let value = stored;
    const steps = event.from.slice(version - 1);
    for (const [index, { schema, up }] of steps.entries()) {
      const from = version + index;
      const old = await parse(
        schema,
        value,
        () => `An event ${event.id} does not fit the schema of its version ${from}`,
      );
      try {
        value = up(old);
      } catch (error) {
        throw new Error(
          `The upcaster of ${event.id} from version ${from} to ${from + 1} failed. ${error instanceof Error ? error.message : String(error)}`,
          { cause: error },
        );
      }
    }
    return parse(
      event.schema,
      value,
      () => `An event ${event.id} of version ${version} does not fit the present schema after its upcasters`,
    );
  }

  #projectOlder(schema: AnySchema): Projection {
    const project = this.#older.get(schema) ?? toProjection(toJsonSchema(schema));
    this.#older.set(schema, project);
    return project;
  }

  #known(type: string): Known {
    const known = this.#events.get(type);
    if (!known) throw new TypeError(`No contract of this storage declares an event ${type}.`);
    return known;
  }
}

const isVersion = (version: number): boolean => Number.isSafeInteger(version) && version >= 1;
const contractOf = (type: string): string => type.slice(0, type.indexOf("."));
