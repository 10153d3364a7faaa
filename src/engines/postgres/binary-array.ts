/**
 * Arrays in PostgreSQL's binary format (array_send in src/backend/utils/adt/arrayfuncs.c): dimensions, whether there are
 * nulls, the type of the elements, length and lower bound, then each element behind its length. As text every element
 * would be quoted here and unquoted there, which costs more than everything else in a large append.
 */
export function toTextArray(values: readonly (string | null | undefined)[]): Buffer {
  let most = header;
  for (const value of values) most += 4 + 3 * (value?.length ?? 0); // no UTF-16 unit takes more than three bytes
  const buffer = begin(most, values, 25);
  let at = header;
  for (const value of values) {
    const bytes = value === null || value === undefined ? absent : buffer.write(value, at + 4);
    buffer.writeInt32BE(bytes, at);
    at += 4 + Math.max(0, bytes);
  }
  return buffer.subarray(0, at);
}

export function toIntegerArray(values: readonly (number | null)[]): Buffer {
  const buffer = begin(header + 8 * values.length, values, 23);
  let at = header;
  for (const value of values) {
    buffer.writeInt32BE(value === null ? absent : 4, at);
    at += 4;
    if (value === null) continue;
    buffer.writeInt32BE(value, at);
    at += 4;
  }
  return buffer.subarray(0, at);
}

export function toBigintArray(values: readonly (number | null)[]): Buffer {
  const buffer = begin(header + 12 * values.length, values, 20);
  let at = header;
  for (const value of values) {
    buffer.writeInt32BE(value === null ? absent : 8, at);
    at += 4;
    if (value === null) continue;
    buffer.writeBigInt64BE(BigInt(value), at);
    at += 8;
  }
  return buffer.subarray(0, at);
}

export function toBooleanArray(values: readonly boolean[]): Buffer {
  const buffer = begin(header + 5 * values.length, values, 16);
  let at = header;
  for (const value of values) {
    buffer.writeInt32BE(1, at);
    buffer.writeUInt8(value ? 1 : 0, at + 4);
    at += 5;
  }
  return buffer;
}

export function toUuidArray(values: readonly (string | undefined)[]): Buffer {
  const buffer = begin(header + 20 * values.length, values, 2950);
  let at = header;
  for (const value of values) {
    buffer.writeInt32BE(value === undefined ? absent : 16, at);
    at += 4;
    if (value === undefined) continue;
    buffer.write(value.replaceAll("-", ""), at, "hex");
    at += 16;
  }
  return buffer.subarray(0, at);
}

const header = 20;
/** In the place of an element's length. */
const absent = -1;

function begin(size: number, values: readonly unknown[], type: number): Buffer {
  const buffer = Buffer.allocUnsafe(size);
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(values.some((value) => value === null || value === undefined) ? 1 : 0, 4);
  buffer.writeInt32BE(type, 8);
  buffer.writeInt32BE(values.length, 12);
  buffer.writeInt32BE(1, 16);
  return buffer;
}
