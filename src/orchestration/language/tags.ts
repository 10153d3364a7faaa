/** What a run can be found by, beside what every run has. */
export interface Tags {
  readonly [name: string]: string | number;
}

const mostTags = 4;
const longestTag = 200;

/** The tags of a run with this input. Throws a sentence for what cannot be one. */
export function toTags(
  operation: string,
  tags: ((input: never) => Tags) | undefined,
  input: unknown,
): Tags | undefined {
  if (!tags) return undefined;
  const found = Object.entries(tags(input as never)).filter(([, value]) => value !== undefined); // checked where it is declared
  if (found.length > mostTags)
    throw new TypeError(`A run of ${operation} has ${found.length} tags, where ${mostTags} are the most.`);
  for (const [name, value] of found) checkTag(operation, name, value);
  return Object.fromEntries(found.sort(([one], [other]) => (one < other ? -1 : 1)));
}

function checkTag(operation: string, name: string, value: unknown): void {
  if (!/^[A-Za-z][\w-]{0,62}$/.test(name))
    throw new TypeError(
      `A run of ${operation} has the tag "${name}". The name of a tag is a letter, and then letters, digits, _ and -.`,
    );
  if (typeof value === "number" && Number.isFinite(value)) return;
  if (typeof value === "string" && Buffer.byteLength(value) <= longestTag) return;
  throw new TypeError(
    `The tag "${name}" of ${operation} is ${String(value).slice(0, 40)}. A tag is a number, or a text of at most ${longestTag} bytes.`,
  );
}
