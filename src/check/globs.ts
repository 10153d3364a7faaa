/**
 * A pattern over paths as a regular expression: `*` and `?` stay inside a folder, `**` does not, `{a,b}` is a choice.
 * A pattern that ends in a slash means everything below that folder.
 */
export function toPattern(glob: string): RegExp {
  const whole = glob.endsWith("/") ? `${glob}**` : glob;
  let text = "";
  let depth = 0;
  for (let at = 0; at < whole.length; at++) {
    const rest = whole.slice(at);
    const letter = whole[at] as string; // at is inside
    if (rest.startsWith("**/")) {
      text += "(?:.*/)?";
      at += 2;
    } else if (rest.startsWith("**")) {
      text += ".*";
      at += 1;
    } else if (letter === "*") text += "[^/]*";
    else if (letter === "?") text += "[^/]";
    else if (letter === "{") {
      depth++;
      text += "(?:";
    } else if (letter === "}" && depth > 0) {
      depth--;
      text += ")";
    } else if (letter === "," && depth > 0) text += "|";
    else text += letter.replace(/[.+^$()|[\]\\{}]/, "\\$&");
  }
  return new RegExp(`^${text}${")".repeat(depth)}$`);
}

/** Whether a path fits one of some patterns. */
export function toMatcher(globs: readonly string[]): (path: string) => boolean {
  const patterns = globs.map(toPattern);
  return (path) => patterns.some((pattern) => pattern.test(path));
}
