/** A name that GraphQL can say: letters, digits and underscores, and not two underscores in front. */
function toName(text: string): string {
  const spelled = text.replaceAll(/[^\w]/g, "_").replace(/^_+/, "");
  return /^[a-zA-Z]/.test(spelled) ? spelled : `v${spelled}`;
}

/** Each text with a name of its own, in their order: two that would be spelled alike are numbered. */
export function toNames(texts: readonly string[]): ReadonlyMap<string, string> {
  const taken = new Set<string>();
  const names = new Map<string, string>();
  for (const text of texts) {
    const plain = toName(text);
    let name = plain;
    for (let count = 2; taken.has(name); count++) name = `${plain}${count}`;
    taken.add(name);
    names.set(text, name);
  }
  return names;
}

/** `seat-maps.bookSeat` is the field `seatMapsBookSeat` and the type `SeatMapsBookSeat`. */
export const toTypeName = (id: string): string =>
  id
    .split(/[^a-zA-Z0-9]+/)
    .filter(Boolean)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
export const toFieldName = (id: string): string => {
  const name = toTypeName(id);
  return name.charAt(0).toLowerCase() + name.slice(1);
};
