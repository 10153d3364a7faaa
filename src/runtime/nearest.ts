/** The one of some words that takes the fewest changes of letters (Levenshtein) to become from this one. */
export function nearest(word: string, others: readonly string[]): string | undefined {
  const byDistance = others.map((other) => ({ other, distance: distanceOf(word, other) }));
  return byDistance.sort((a, b) => a.distance - b.distance)[0]?.other;
}

function distanceOf(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [row, letter] of [...one].entries()) {
    const current = [row + 1];
    for (let column = 0; column < other.length; column++) {
      const change = (previous[column] ?? 0) + (letter === other[column] ? 0 : 1);
      current.push(Math.min(change, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
