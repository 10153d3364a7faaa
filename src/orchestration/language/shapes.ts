import { nothing, type Operation, type Projection, toJsonSchema, toProjection } from "../../contracts/index.ts";
import type { Workflow } from "./workflow.ts";

/** What a workflow's values are written as: the fields that its contract declares. */
export interface Shapes {
  /** Undefined where the operation has no output. */
  readonly output: Projection | undefined;
  /** Undefined where the operation declares no progress. */
  readonly progress: Projection | undefined;
}

/** Found out once for all runs of a workflow: it takes as long as a short run does. */
export function toShapes({ operation: { output, progress } }: Workflow): Shapes {
  return { output: output === nothing ? undefined : toShape(output), progress: progress && toShape(progress) };
}

const toShape = (schema: Operation["output"]): Projection => toProjection(toJsonSchema(schema));
