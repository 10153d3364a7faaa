import { type Shapes, toShapes } from "../language/shapes.ts";
import type { Workflow } from "../language/workflow.ts";
import { type Rethrow, toRethrow } from "../replay/thrown.ts";

/** A workflow with what its runs throw again in replay. */
export interface Known {
  readonly workflow: Workflow;
  readonly rethrow: Rethrow;
  readonly shapes: Shapes;
}

/** The workflows of one node, in all their versions. */
export class Catalog {
  /** By name and version: `trips.book@1`. */
  readonly #known = new Map<string, Known>();
  /** By operation: its highest version, which new runs take. */
  readonly #present = new Map<string, Known>();

  constructor(workflows: readonly Workflow[]) {
    for (const workflow of workflows) this.#learn(workflow);
  }

  get names(): readonly string[] {
    return [...this.#known.keys()];
  }
  get present(): readonly Workflow[] {
    return [...this.#present.values()].map(({ workflow }) => workflow);
  }
  named(name: string): Known | undefined {
    return this.#known.get(name);
  }
  of(operation: string): Known | undefined {
    return this.#present.get(operation);
  }
  declares(operation: string, failure: string): boolean {
    return failure in (this.#present.get(operation)?.workflow.operation.failures ?? {});
  }

  #learn(workflow: Workflow): void {
    const name = nameOf(workflow);
    if (this.#known.has(name))
      throw new TypeError(`There are two workflows ${name}. Give the newer one another version.`);
    const { uses, operation } = workflow;
    const known = { workflow, rethrow: toRethrow(uses, operation), shapes: toShapes(workflow) };
    this.#known.set(name, known);
    const present = this.#present.get(workflow.id);
    if (!present || present.workflow.version < workflow.version) this.#present.set(workflow.id, known);
  }
}

export const nameOf = ({ id, version }: Workflow): string => `${id}@${version}`;
