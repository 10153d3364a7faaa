/**
 * Evolution: how contracts may change. Verdicts are pure functions over plain descriptions of contracts; files and
 * addresses are the caller's. Imports contracts, and Ajv as the judge of every counterexample.
 * Start with diff.ts; inclusion/inclusion.ts decides whether one schema includes another.
 */
export { type Deployment, obstaclesOf, readDeployment } from "./deployable.ts";
export { type Description, describe } from "./description.ts";
export { diff, type Verdict } from "./diff.ts";
export { Comparison } from "./inclusion/inclusion.ts";
export {
  emptyLock,
  type Lock,
  LockError,
  publishedIn,
  readLock,
  withPublished,
  writeLock,
} from "./lock.ts";
export { type Finding, rules } from "./rules.ts";
export { tryUpcasters, withTrials } from "./upcaster-trials.ts";
