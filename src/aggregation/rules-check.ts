import { type Issue, validateAtOnce } from "../contracts/index.ts";
import type { AnyView } from "./view.ts";

/**
 * Throws where a view has no rule for a field that its contract requires of each answer, or of each item of a list, so that
 * nothing it says would ever fit. The compiler finds that as well, for those who let it look. What a contract requires its
 * own schema is asked: it may have a value for what is not there. One that waits for something is not asked.
 */
export function checkRules(view: AnyView): void {
  const { id, operation, scope, list } = view.many?.view ?? view;
  const [empty, within] = list ? [{ items: [{}], complete: true, missing: [], found: 0 }, "/items/0/"] : [{}, "/"];
  const given = { ...scope.fields, ...list?.nested };
  const lacking = issuesOf(operation.output, empty)
    .filter(({ path }) => path.startsWith(within))
    .map(({ path }) => path.slice(within.length))
    .filter((step) => !step.includes("/"))
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"))
    .filter((name) => !Object.hasOwn(given, name));
  if (lacking.length === 0) return;
  const names = [...new Set(lacking)].map((name) => `"${name}"`).join(", ");
  throw new TypeError(
    `The view ${id} has no rule for ${names}, which its contract requires. Say under "fields" where it comes from.`,
  );
}

/** None where that cannot be said at once: a schema may ask somebody, or stumble over a value of which nothing is there. */
function issuesOf(schema: AnyView["operation"]["output"], value: unknown): readonly Issue[] {
  try {
    const checked = validateAtOnce(schema, value);
    if (checked instanceof Promise) {
      checked.catch(() => {});
      return [];
    }
    return checked.ok ? [] : checked.issues;
  } catch {
    return [];
  }
}
