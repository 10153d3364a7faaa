/**
 * A UUID takes 16 bytes on disk instead of 36; any other id is kept as it is. Read digit by digit, for a pattern and a
 * conversion of its text take four times as long; and into the caller's bytes, for to make some takes longer than that.
 */
export function packId(id: string, bytes: Uint8Array): Uint8Array | string {
  if (id.length !== 36) return id;
  let next = 0;
  for (let at = 0; at < 36; at++) {
    if (at === 8 || at === 13 || at === 18 || at === 23) {
      if (id.charCodeAt(at) !== hyphen) return id;
      continue;
    }
    const high = digits[id.charCodeAt(at)] ?? -1;
    const low = digits[id.charCodeAt(++at)] ?? -1;
    if ((high | low) < 0) return id;
    bytes[next++] = (high << 4) | low;
  }
  return bytes;
}

/** An id as SQL gives it to `unpackId`: a text costs less than bytes do, and no digits begin with a space. */
export const spelledId = (column: string): string =>
  `case typeof(${column}) when 'blob' then lower(hex(${column})) else ' ' || ${column} end`;

export function unpackId(spelled: string): string {
  if (spelled.startsWith(" ")) return spelled.slice(1);
  const part = (from: number, to?: number): string => spelled.slice(from, to);
  return `${part(0, 8)}-${part(8, 12)}-${part(12, 16)}-${part(16, 20)}-${part(20)}`;
}

const hyphen = 0x2d;
/** What a character is worth as a digit; -1 where it is none. Capitals are none: the id would come back changed. */
const digits = Int8Array.from({ length: 128 }, (_, code) => "0123456789abcdef".indexOf(String.fromCharCode(code)));
