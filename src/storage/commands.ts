import { hash } from "node:crypto";
import {
  type Call,
  type Clock,
  Fault,
  type Named,
  nothing,
  type Operation,
  type Projection,
  type Provider,
  type Reply,
  toCanonicalJson,
  toFail,
  toJsonSchema,
  toProjection,
  type Voided,
} from "../contracts/index.ts";
import { appendWithRows, type InlinePorts } from "./append-with-rows.ts";
import type { NewReceipt, Outcome, Receipt } from "./engine.ts";
import type { EventCodec } from "./event-codec.ts";
import type { AnyEventLog, LogReader } from "./event-log.ts";
import type { Chance } from "./ids.ts";
import { toJson } from "./json.ts";
import type { AnyRowReader } from "./read-model.ts";
import type { AnyHandler, AnyStore } from "./store.ts";
import { type Surroundings, toEmitters, Unit } from "./unit.ts";

export interface CommandPorts extends Surroundings, InlinePorts {
  readonly codec: EventCodec;
  readonly clock: Clock;
  readonly chance: Chance;
  /** How long a receipt is kept, in ms, where its store does not say. */
  readonly receiptsMs: number;
  /** Something was appended. */
  readonly appended: () => void;
  readonly rows: (store: AnyStore, part: string) => AnyRowReader;
  readonly reading: (events: AnyEventLog["events"]) => LogReader<unknown>;
}

/** A lost race runs the handler again, up to so many times in all. */
const mostAttempts = 20;
const longestPauseMs = 50;
const longestKey = 500;
const leastOfRunsMs = 30 * 86_400_000;

/** One command of a store: the handler's decisions, its rows and the receipt of its key in one append. */
export function toCommandProvider(store: AnyStore, operation: Operation & Named, ports: CommandPorts): Provider {
  const command = new StoreCommand(store, operation, ports);
  return Object.freeze({
    operation: operation.id,
    contract: store.contract,
    handle: (input: unknown, call: Call, written: unknown) => command.handle(input, call, written),
    void: (key: string, call: Call) => command.void(key, call),
  });
}

class StoreCommand {
  readonly #operation: Operation & Named;
  readonly #ports: CommandPorts;
  readonly #handler: AnyHandler;
  /** What the handler is given, by name: the same for each run, but for the unit that it decides in. */
  readonly #parts: readonly (readonly [string, (unit: Unit) => unknown])[];
  readonly #receiptsMs: number;
  readonly #fail: unknown;
  readonly #project: Projection | undefined;
  constructor(store: AnyStore, operation: Operation & Named, ports: CommandPorts) {
    this.#operation = operation;
    this.#ports = ports;
    this.#handler = store.handlers[operation.id.slice(store.id.length + 1)] as AnyHandler; // store() saw that it is there
    this.#parts = Object.entries(store.parts).flatMap(([name, part]): [string, (unit: Unit) => unknown][] => {
      if (part.kind === "subscription") return [];
      if (part.kind === "entity") {
        const emit = toEmitters(part);
        return [[name, (unit) => unit.entity(part, emit)]];
      }
      const reader = part.kind === "event log" ? ports.reading(part.events) : ports.rows(store, name);
      return [[name, () => reader]];
    });
    this.#receiptsMs = store.receiptsMs?.[operation.id.slice(store.id.length + 1)] ?? ports.receiptsMs;
    this.#fail = toFail(operation.id, operation.failures);
    this.#project = operation.output === nothing ? undefined : toProjection(toJsonSchema(operation.output));
  }

  async handle(input: unknown, call: Call, written: unknown): Promise<Reply> {
    const identity =
      call.key === undefined ? undefined : { key: this.#scope(call.key, call), digest: digestOf(written) };
    for (let attempt = 1; attempt <= mostAttempts; attempt++) {
      if (attempt > 2) await this.#pause(attempt);
      // The first time by what is remembered of entities: that is nearly always right, and the append finds out.
      const unit = new Unit(this.#operation.id, this.#ports, attempt === 1);
      try {
        const reply = await this.#attempt(unit, input, call, identity);
        if (reply) return reply;
      } catch (error) {
        // The same call may have been made before, and what this one met may be that one's own work: a repeated hold
        // finds its own seat taken. Looked up only now, for the append of a call that does not fail is told of it anyway.
        const known = identity && (await this.#known(identity));
        if (known) return known;
        throw error;
      }
    }
    throw new Fault(
      "Unavailable",
      `${this.#operation.id} lost the race for what it decides on ${mostAttempts} times in a row. Nothing was written; try again.`,
      { outcome: "not done" },
    );
  }

  /** What a call with this key has done before. */
  async #known({ key, digest }: Identity): Promise<Output | undefined> {
    const receipt = await this.#ports.log.receipt(key);
    if (receipt?.voided) throw this.#voided();
    if (receipt && receipt.digest !== digest) throw this.#keyReused();
    return receipt && toReply(receipt);
  }

  async void(key: string, call: Call): Promise<Voided> {
    const outcome = await this.#ports.log.append({
      events: [],
      receipt: { key: this.#scope(key, call), digest: "", voided: true },
    });
    if (outcome.ok && "again" in outcome && !outcome.again.voided)
      return { took: true, wire: toReply(outcome.again).output };
    if (outcome.ok) return { took: false };
    throw new Error(`The key of ${this.#operation.id} could not be voided: ${outcome.why}.`);
  }

  /** Runs the handler once; nothing where somebody else was faster and it has to decide again. */
  async #attempt(unit: Unit, input: unknown, call: Call, identity: Identity | undefined): Promise<Output | undefined> {
    try {
      const output = await this.#decide(unit, input);
      if (!output) return undefined;
      if (unit.events.length === 0 && !identity) return (await unit.wasOvertaken()) ? undefined : output;
      const receipt: NewReceipt | undefined = identity && {
        ...identity,
        expires: this.#ports.clock.now() + this.#keptMs(call),
        ...(output.output !== undefined && {
          result: toJson(output.output, `The output of ${this.#operation.id}`),
        }),
      };
      this.#checkWanted(call);
      const outcome = await this.#append(unit, receipt, call);
      if (!outcome.ok) return this.#refused(outcome);
      if ("again" in outcome) return toReply(outcome.again);
      unit.keep();
      this.#ports.appended();
      return output;
    } finally {
      unit.release();
    }
  }

  /** What the handler gives; nothing where it failed over a state that was not the present one. */
  async #decide(unit: Unit, input: unknown): Promise<Output | undefined> {
    const context: Record<string, unknown> = {};
    for (const [name, toPart] of this.#parts) context[name] = toPart(unit);
    context.fail = this.#fail;
    context.now = new Date(this.#ports.clock.now());
    try {
      const returned = await this.#handler(input, context);
      unit.checkAwaited();
      return { output: this.#toOutput(returned) };
    } catch (error) {
      unit.close();
      if (await unit.wasOvertaken()) return undefined;
      throw error;
    } finally {
      unit.close();
    }
  }

  #append(unit: Unit, receipt: NewReceipt | undefined, call: Call): Promise<Outcome> {
    const { log } = this.#ports;
    const attributes = { "trilith.log": log.name, "trilith.events": unit.events.length };
    return call.trace.span("append", `append ${log.name}`, attributes, async (inside) => {
      const append = unit.toAppend();
      const outcome = await appendWithRows(receipt ? { ...append, receipt } : append, unit.events, this.#ports);
      inside.set({
        "trilith.position": outcome.ok && "last" in outcome ? outcome.last : undefined,
        "trilith.again": outcome.ok && "again" in outcome,
        "trilith.conflict": !outcome.ok && outcome.why === "conflict" ? outcome.stream : undefined,
      });
      return outcome;
    });
  }

  #refused(outcome: Outcome & { readonly ok: false }): undefined {
    switch (outcome.why) {
      case "conflict":
        return undefined;
      case "behind":
        throw new Error(`The reader "${outcome.reader}" was behind without being asked.`);
      case "voided":
        throw this.#voided();
      case "key reused":
        throw this.#keyReused();
      case "refused":
        throw new TypeError(`What ${this.#operation.id} asked for cannot be written. ${outcome.message}`);
    }
  }

  /** What the contract declares of the answer; the receipt keeps no more, and a command without output answers with nothing. */
  #toOutput(returned: unknown): unknown {
    return this.#project ? this.#project(returned).value : undefined;
  }

  #checkWanted({ aborted, deadline }: Call): void {
    if (!aborted.aborted && (deadline === undefined || this.#ports.clock.monotonic() <= deadline)) return;
    throw new Fault("DeadlineExceeded", `Nobody waits for ${this.#operation.id} any more, so nothing was written.`, {
      outcome: "not done",
    });
  }

  /** A run may try again after it was asleep for long, whatever other callers are promised. */
  #keptMs({ principal }: Call): number {
    return principal.kind === "run" ? Math.max(this.#receiptsMs, leastOfRunsMs) : this.#receiptsMs;
  }

  #scope(key: string, { principal }: Call): string {
    if (key === "" || key.length > longestKey || !key.isWellFormed() || key.includes("\u0000"))
      throw new Fault("InvalidInput", `A key is text of 1 to ${longestKey} characters.`);
    // A run's keys are unique by themselves, and the same whichever node carries the run. "@" is escaped in ids.
    const caller = principal.kind === "run" ? "@run" : encodeURIComponent(principal.id.toWellFormed());
    return `${caller}:${this.#operation.id}:${key}`;
  }

  async #pause(attempt: number): Promise<void> {
    const bytes = new Uint8Array(1);
    this.#ports.chance(bytes);
    const most = Math.min(longestPauseMs, 2 ** attempt);
    await new Promise<void>((resolve) => this.#ports.clock.after((most * (bytes[0] ?? 0)) / 255, resolve));
  }

  #voided(): Fault {
    return new Fault(
      "Voided",
      `This call of ${this.#operation.id} was given up before it arrived, and will not be done.`,
    );
  }

  #keyReused(): Fault {
    return new Fault(
      "KeyReused",
      `The key of this call of ${this.#operation.id} was used before with another input. Use a new key for new work.`,
    );
  }
}

/** A call that can be told from another: its key, and what it asks for. */
interface Identity {
  readonly key: string;
  readonly digest: string;
}
interface Output {
  readonly output: unknown;
}
const toReply = ({ result }: Receipt): Output => ({ output: result === undefined ? undefined : JSON.parse(result) });

const digestOf = (written: unknown): string => hash("sha256", toCanonicalJson(written), "base64url");
