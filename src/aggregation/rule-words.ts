import type { ChoicePlan, FieldPlan } from "./rules.ts";
import type { UnionPlan } from "./union.ts";

/** A rule as the meta shows it: `prefer(a, b).or(…)`. */
export function ruleInWords(plan: Unworded<ChoicePlan> | Unworded<UnionPlan>): string {
  const names = plan.sources.map(({ name }) => name).join(", ");
  if (plan.kind === "union") {
    const dedupe = plan.dedupeBy.length > 0 ? `.dedupeBy(${plan.dedupeBy.join(", ")})` : "";
    const order = plan.orderBy.map(({ field, descending }) => `${descending ? "-" : ""}${field}`).join(", ");
    const limit = plan.limit === undefined ? "" : `.limit(${plan.limit})`;
    return `union(${names})${dedupe}${order && `.orderBy(${order})`}${limit}`;
  }
  const least = plan.least === undefined ? "" : `${plan.least}, `;
  const own = plan.own ? `"${plan.own.name}", ` : "";
  const compared = plan.comparing ? ".comparing(…)" : "";
  const rule = `${plan.by}(${own}${least}${names})${compared}${plan.otherwise ? ".or(…)" : ""}`;
  return plan.linked ? `linked(${rule}, ${plan.linked.join(", ")})` : rule;
}

/** A plan that has not been put into words yet. */
export type Unworded<P extends FieldPlan> = Omit<P, "rule" | "names">;
