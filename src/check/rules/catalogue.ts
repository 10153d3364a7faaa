import { contractRules } from "./about-contracts.ts";
import { functionRules } from "./about-functions.ts";
import { layerRules } from "./about-layers.ts";
import { projectRules } from "./about-projects.ts";

/** A rule, as `--explain` tells it. */
export interface Rule {
  /** What is asked for, in a sentence. */
  readonly what: string;
  readonly why: string;
  readonly wayOut: string;
  /** A few lines that break it, and the same as they should be. */
  readonly wrong: string;
  readonly right: string;
}

/** Every rule by its id. An id never changes its meaning: baselines and allowances are written in them. */
export const rules: { readonly [rule in RuleId]: Rule } = Object.freeze({
  ...layerRules,
  ...functionRules,
  ...contractRules,
  ...projectRules,
});
export type RuleId =
  | keyof typeof layerRules
  | keyof typeof functionRules
  | keyof typeof contractRules
  | keyof typeof projectRules;
export const ruleIds: readonly RuleId[] = Object.keys(rules) as RuleId[]; // keys of an object that has no others

/** Whether a rule is about what only loading the project tells. */
export const needsLoading = (rule: RuleId): boolean =>
  /^(contracts|personal|operations|backend|lock)\//.test(rule) &&
  rule !== "contracts/place" &&
  rule !== "contracts/schema-libraries";

/**
 * What a project starts and stays safe without: words for whoever reads its contracts. It is told, and fails a check only
 * where a project is strict.
 */
const advised: ReadonlySet<RuleId> = new Set(["contracts/owner", "contracts/summary", "contracts/examples"]);
export const isAdvice = (rule: RuleId): boolean => advised.has(rule);

export const isRuleId = (text: unknown): text is RuleId => typeof text === "string" && Object.hasOwn(rules, text);
