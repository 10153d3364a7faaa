const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A UUID takes 16 bytes on disk instead of 36; any other id is kept as it is. */
export function packId(id: string): Uint8Array | string {
  return uuid.test(id) ? Buffer.from(id.replaceAll("-", ""), "hex") : id;
}

export function unpackId(stored: Uint8Array | string): string {
  if (typeof stored === "string") return stored;
  const hex = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
