/** Bytes of UTF-8. Long names make every index longer; what identifies a thing is short. */
const longestName = 512;

/** Checks a stream's name, `category/id`, and throws the sentence that says what is wrong with it. */
export function checkStreamName(name: string): void {
  if (!/^[a-z][a-z0-9-]*\/[\s\S]/.test(name)) {
    throw new TypeError(
      `"${name}" is not a name for a stream. Write category/id, like "flight/UA1": the category in kebab-case, the id not empty.`,
    );
  }
  if (!name.isWellFormed() || name.includes("\u0000"))
    throw new TypeError(`The stream name ${JSON.stringify(name)} holds a character that not every engine can keep.`);
  // No UTF-16 unit takes more than three bytes, so most names need no counting.
  const bytes = name.length * 3 > longestName ? Buffer.byteLength(name) : name.length;
  if (bytes > longestName)
    throw new TypeError(`A stream name has up to ${longestName} bytes; "${name.slice(0, 40)}…" has ${bytes}.`);
}

/** The stream of one thing. Any text will do as its id: what an engine cannot keep is escaped, and no two ids meet. */
export function toStreamName(category: string, id: string): string {
  if (typeof id !== "string" || id === "")
    throw new TypeError(`The id of a ${category} is text and not empty; ${JSON.stringify(id)} is not.`);
  const plain = /^[ -$&-~]+$/.test(id); // nearly every id, and nothing in it to look at one by one
  // By code point: a whole surrogate pair is one and stays, half of one stands alone and is escaped.
  const kept = plain
    ? id
    : Array.from(id, (character) => (isKept(character) ? character : escaped(character))).join("");
  const name = `${category}/${kept}`;
  checkStreamName(name);
  return name;
}

const isKept = (character: string): boolean => character !== "%" && character >= " " && character.isWellFormed();
const escaped = (character: string): string => `%${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
