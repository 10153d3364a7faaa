import type { AnySchema, Issue } from "../contracts/index.ts";

/**
 * Validates at once where the schema can, so that a fold over thousands of events does not wait between them. A value
 * that does not fit is somebody's programming error by now, so it throws `describe`'s sentence with what is wrong.
 */
export function parse(schema: AnySchema, value: unknown, describe: () => string): unknown | Promise<unknown> {
  const result = schema["~standard"].validate(value);
  return result instanceof Promise ? result.then((settled) => unwrap(settled, describe)) : unwrap(result, describe);
}

type Result = Awaited<ReturnType<AnySchema["~standard"]["validate"]>>;

function unwrap(result: Result, describe: () => string): unknown {
  if (!result.issues) return result.value;
  const issues = result.issues.map(({ path = [], message }): Issue => {
    const segments = path.map((segment) => String(typeof segment === "object" ? segment.key : segment));
    return { path: segments.map((segment) => `/${segment}`).join(""), message };
  });
  throw new TypeError(
    `${describe()}: ${issues.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("; ")}.`,
  );
}
