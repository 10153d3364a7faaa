/**
 * A UUID takes 16 bytes on disk instead of 36; any other id is kept as it is. Read digit by digit, for a pattern and a
 * conversion of its text take four times as long.
 */
export function packId(id: string): Uint8Array | string {
  if (id.length !== 36) return id;
  const bytes = new Uint8Array(16);
  let next = 0;
  for (let at = 0; at < 36; at++) {
    if (at === 8 || at === 13 || at === 18 || at === 23) {
      if (id.charCodeAt(at) !== hyphen) return id;
      continue;
    }
    const [high, low] = [digits[id.charCodeAt(at)], digits[id.charCodeAt(++at)]];
    if (high === undefined || low === undefined || high < 0 || low < 0) return id;
    bytes[next++] = (high << 4) | low;
  }
  return bytes;
}

export function unpackId(stored: Uint8Array | string): string {
  if (typeof stored === "string") return stored;
  const hex = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const hyphen = 0x2d;
/** What a character is worth as a digit; -1 where it is none. Capitals are none: the id would come back changed. */
const digits = Array.from({ length: 128 }, (_, code) => "0123456789abcdef".indexOf(String.fromCharCode(code)));
