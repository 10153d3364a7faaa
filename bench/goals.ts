import { goals as aggregation } from "./aggregation/goals.ts";
import type { Goal } from "./frame/goals.ts";
import { goals as orchestration } from "./orchestration/goals.ts";
import { goals as storage } from "./storage/goals.ts";

/** What is to be reached, suite by suite. None is set for the gateway: what it costs is measured and told. */
export const goals: { readonly [suite: string]: readonly Goal[] } = { orchestration, storage, aggregation };
