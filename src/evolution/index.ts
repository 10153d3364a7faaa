/**
 * Evolution: how contracts may change. Verdicts are pure functions over plain descriptions of contracts; files and
 * addresses are the caller's. Imports contracts, and Ajv as the judge of every counterexample.
 * Start with diff.ts; inclusion/inclusion.ts decides whether one schema includes another.
 */
export { type Deployment, obstaclesOf, readDeployment } from "./deployable.ts";
export { type Description, describe, hashOf } from "./description.ts";
export { changesBetween, type DiffOptions, diff, type Verdict } from "./diff.ts";
export { Comparison, type Inclusion } from "./inclusion/inclusion.ts";
export type { Level } from "./level.ts";
export {
  emptyLock,
  type Lock,
  LockError,
  type Published,
  publishedIn,
  readLock,
  withPublished,
  writeLock,
} from "./lock.ts";
export { type Counterexample, type Finding, kindsInWords, rules } from "./rules.ts";
