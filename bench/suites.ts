import { aggregation } from "./aggregation/suite.ts";
import type { Suite } from "./frame/suite.ts";
import { gateway } from "./gateway/suite.ts";
import { orchestration } from "./orchestration/suite.ts";
import { storage } from "./storage/suite.ts";

export const suites: { readonly [name: string]: Suite } = { orchestration, storage, aggregation, gateway };
export const suiteNames: readonly string[] = Object.keys(suites);
