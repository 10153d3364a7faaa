/**
 * The check: whether a project's layers are apart, its functions pure, its contracts complete and its needs met. Reads
 * files and never changes one; what it loads, it loads in a thread. May import contracts and a parser.
 * Start with check.ts; rules/ says what is asked for and why, checks/ finds it, inspection/ loads, report/ tells.
 */
export {
  type BaselineEntry,
  BaselineError,
  baselineFile,
  type Compared,
  compare,
  readBaseline,
  toBaseline,
  writtenBaseline,
} from "./baseline.ts";
export { type CheckOptions, check, type Report } from "./check.ts";
export { ConfigError } from "./config.ts";
export type { Finding, Span } from "./finding.ts";
export type { LockJudge, LockRemark } from "./inspection/inspection.ts";
export { toJson } from "./report/json.ts";
export { toSarif } from "./report/sarif.ts";
export { explain, toText } from "./report/text.ts";
export { isAdvice, isRuleId, type Rule, type RuleId, ruleIds, rules } from "./rules/catalogue.ts";
