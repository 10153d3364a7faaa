import {
  type Answer,
  type Call,
  type Dispatch,
  Fault,
  type Operation,
  operationsOf,
  type Provider,
  validate,
} from "../contracts/index.ts";
import type { Events, Journal } from "../orchestration/host.ts";
import type { Workflow } from "../orchestration/index.ts";
import { type Fake, type FakeCall, NotPlayed } from "./fake.ts";

/** Where a node dies: at its n-th commit, before or after it is on disk. */
export interface Crash {
  readonly at: number;
  readonly afterWriting: boolean;
}
/** An event as a run has written it. */
export interface EmittedEvent {
  readonly event: string;
  readonly payload: unknown;
  readonly run: string;
}
export interface BenchNode {
  readonly node: string;
  readonly journal: Journal;
  readonly dispatch: Dispatch;
  readonly events: Events;
}
interface Around {
  readonly journal: () => Journal;
  readonly fakes: readonly Fake[];
  readonly workflows: readonly Workflow[];
  readonly crash: Crash | undefined;
  /** Of the node that is alive, whatever calls its own workflows as children. */
  readonly providers: () => readonly Provider[];
}

/** The nodes of a bench, one after the other, and the world that they share: what a dead one writes or asks never comes to be. */
export class BenchNodes {
  readonly calls: FakeCall[] = [];
  readonly events: Map<string, EmittedEvent> = new Map();
  readonly #around: Around;
  readonly #fakes: ReadonlyMap<string, Fake>;
  /** How many of each fake's calls are among these, or were there before. */
  readonly #counted: Map<Fake, number>;
  #begun = 0;
  #appends = 0;
  #isDead = false;
  #hasCrashed = false;
  #mistake: Error | undefined;

  constructor(around: Around) {
    this.#around = around;
    this.#counted = new Map(around.fakes.map((one) => [one, one.calls.length]));
    this.#fakes = new Map(around.fakes.flatMap((one) => operationsOf(one.contract).map(({ id }) => [id, one])));
  }

  /** Whether the crash that was asked for has come. */
  get hasCrashed(): boolean {
    return this.#hasCrashed;
  }
  /** Whether the present node is dead, and no other has taken its place. */
  get isDead(): boolean {
    return this.#isDead;
  }
  /** What the test has forgotten, of which the present node died. No other can take its place. */
  get mistake(): Error | undefined {
    return this.#mistake;
  }
  /** The number of the present node. */
  get present(): number {
    return this.#begun;
  }

  /** The present node dies, and no other comes after it. */
  end(): void {
    this.#isDead = true;
  }

  /** Another node, in the place of the one before. */
  next(): BenchNode {
    const own = ++this.#begun;
    this.#isDead = false;
    const isDead = (): boolean => own !== this.#begun || this.#isDead;
    return {
      node: `node-${own}`,
      journal: this.#journal(isDead),
      dispatch: this.#dispatch(isDead),
      events: this.#events(isDead),
    };
  }

  #journal(isDead: () => boolean): Journal {
    const { crash } = this.#around;
    const journal = this.#around.journal();
    const append: Journal["append"] = async (...given) => {
      if (crash && !this.#hasCrashed && ++this.#appends === crash.at) {
        this.#hasCrashed = true;
        if (crash.afterWriting) await journal.append(...given);
        this.#isDead = true;
        return never();
      }
      return journal.append(...given);
    };
    return { ...whileAlive({ ...journal, append }, isDead), nodes: whileAlive(journal.nodes, isDead) };
  }

  #dispatch(isDead: () => boolean): Dispatch {
    const besideOf = (id: string) => this.#around.providers().find(({ operation }) => operation === id);
    return {
      call: async (id, input, call) => {
        if (isDead()) return never();
        const beside = besideOf(id);
        return beside ? this.#callBeside(beside, input, call) : this.#callFake(id, input, call);
      },
      void: async (id, key, call) =>
        (await besideOf(id)?.void?.(key, call)) ?? this.#fakes.get(id)?.void(id, key) ?? { took: "unknown" },
    };
  }

  async #callFake(id: string, input: unknown, call: Call): Promise<Answer> {
    const fake = this.#fakes.get(id);
    if (!fake)
      return this.#giveUp(
        new NotPlayed(
          `No fake plays ${id}, which was called. Give the bench one, or its workflow to stand \`beside\`.`,
        ),
      );
    try {
      const wire = await fake.call(id, input, call);
      const operation = operationsOf(fake.contract).find((one) => one.id === id) as Operation; // the map was made of them
      const read = await validate(operation.output, wire);
      if (!read.ok)
        throw new Fault("InvalidOutput", `The fake of ${id} breaks its contract: ${read.issues[0]?.message}`);
      return { wire, value: read.value };
    } catch (error) {
      if (error instanceof NotPlayed) return this.#giveUp(error);
      throw error;
    } finally {
      this.calls.push(...fake.calls.slice(this.#counted.get(fake)));
      this.#counted.set(fake, fake.calls.length);
    }
  }

  /** The run is not told, or it would retry and undo: its node dies, and the bench says why. */
  #giveUp(mistake: Error): Promise<never> {
    this.#mistake ??= mistake;
    this.#isDead = true;
    return never();
  }

  async #callBeside(provider: Provider, input: unknown, call: Call): Promise<Answer> {
    const { operation } = this.#around.workflows.find(({ id }) => id === provider.operation) as Workflow; // the providers are made of them
    const read = await validate(operation.input, input);
    if (!read.ok) throw new Fault("InvalidInput", `The input breaks the contract.`, { issues: read.issues });
    const reply = await provider.handle(read.value, call, input);
    if ("accepted" in reply) return reply;
    const output = await validate(operation.output, reply.output);
    if (!output.ok) throw new Fault("InvalidOutput", `The output of ${provider.operation} breaks its contract.`);
    return { wire: reply.output, value: output.value, ...(reply.run !== undefined && { run: reply.run }) };
  }

  #events(isDead: () => boolean): Events {
    return {
      emit: async ({ id, schema }, payload, { run, key }) => {
        if (isDead()) return never();
        const read = await validate(schema, payload);
        if (!read.ok) throw new Fault("InvalidInput", `The event ${id} is not what its contract says.`);
        if (!this.events.has(key)) this.events.set(key, { event: id, payload, run });
      },
    };
  }
}

/** What a dead node awaits. */
const never = (): Promise<never> => new Promise(() => {});

/** The same methods, which answer for as long as their node is alive. */
function whileAlive<T extends object>(methods: T, isDead: () => boolean): T {
  const alive = Object.entries(methods).map(([name, method]) => [
    name,
    typeof method === "function" ? (...given: readonly unknown[]) => (isDead() ? never() : method(...given)) : method,
  ]);
  return Object.fromEntries(alive) as T; // name by name the same
}
