/**
 * Aggregation: shapes. A source says where to ask and what must come back; a view fuses sources into a query's answer,
 * field by field, and says of every field where it comes from. May import contracts and its own folder.
 * Start with source.ts, rules.ts and view.ts; the code that runs them begins at host.ts.
 */
export { type Ask, type CustomContext, custom } from "./custom.ts";
export { after, asking } from "./dependent.ts";
export { type AsOfOptions, type AsOfStage, type Joined, joinedAsOf } from "./feeds/as-of.ts";
export { type Feed, feed } from "./feeds/feed.ts";
export { type Filled, type FillOptions, type FillStage, filledForward } from "./feeds/filled.ts";
export type { Batch, Input } from "./feeds/input.ts";
export type { FeedState } from "./feeds/kept-state.ts";
export { type ReorderOptions, type ReorderStage, reordered } from "./feeds/reordered.ts";
export { type FeedParts, runFeed } from "./feeds/run-feed.ts";
export { chain, type Emitted, type Late, type OnLate, type Slice, type Stage } from "./feeds/slice.ts";
export {
  type Aggregate,
  type Windowed,
  type WindowOptions,
  type WindowStage,
  windowed,
} from "./feeds/windowed.ts";
export { session, sliding, tumbling, type Windows } from "./feeds/windows.ts";
export { call, csv, type Fetch, json, ndjson, type TextColumns, xml } from "./fetch.ts";
export { type Change, put, type Revised, remove } from "./kept/change.ts";
export { fed, type Intake, materialized, pushed } from "./kept/materialized.ts";
export { type Listed, list } from "./lists/list.ts";
export { type Keyed, type KeyState, many } from "./lists/many.ts";
export { around, type Comparator, exactly, jaroWinkler, levenshtein, nearby, within } from "./match/comparators.ts";
export { type Compared, type Matching, type MatchingPlan, matching } from "./match/matching.ts";
export type {
  DegradedField,
  FieldMeta,
  ItemMeta,
  ListMeta,
  NestedMeta,
  SourceMeta,
  SourceState,
  ViewMeta,
} from "./meta.ts";
export { type Nested, nested } from "./nested.ts";
export { Unusable } from "./normalise/unusable.ts";
export { type Paging, paged } from "./paged.ts";
export { UpstreamProblem, type UpstreamProblemKind } from "./port.ts";
export type { Breaking, Resilience } from "./resilience.ts";
export {
  type Candidate,
  type DoubtfulRule,
  type FieldRule,
  latest,
  linked,
  longest,
  majority,
  max,
  min,
  mostComplete,
  type Offered,
  type PickOne,
  prefer,
  quorum,
  type Rule,
  rule,
} from "./rules.ts";
export { sending } from "./sending.ts";
export {
  type AnySource,
  type DatedSource,
  type ListSource,
  type Many,
  type One,
  type Source,
  source,
} from "./source.ts";
export { type ListRule, union } from "./union.ts";
export { type AnyView, type FieldRules, type View, view } from "./view.ts";
