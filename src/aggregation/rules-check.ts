import type { JsonSchema } from "../contracts/index.ts";
import type { AnyView } from "./view.ts";

/**
 * Throws where a view has no rule for a field that its contract requires, so that each of its answers would break it. The
 * compiler finds that as well, for those who let it look.
 */
export function checkRules({ id, scope }: AnyView, { required }: JsonSchema): void {
  const names: readonly unknown[] = Array.isArray(required) ? required : [];
  const lacking = names.filter((name) => !Object.hasOwn(scope.fields, String(name)));
  if (lacking.length === 0) return;
  throw new TypeError(
    `The view ${id} has no rule for ${lacking.map((name) => `"${name}"`).join(", ")}, which its contract requires. Say under "fields" where it comes from.`,
  );
}
