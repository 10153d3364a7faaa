/** The line of an offset, from 1. */
export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

/** The column of an offset, from 1, in UTF-16 units. */
export const columnOf = (text: string, offset: number): number => offset - text.lastIndexOf("\n", offset - 1);
