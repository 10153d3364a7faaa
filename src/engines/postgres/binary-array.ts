/**
 * Arrays in PostgreSQL's binary format (array_send in src/backend/utils/adt/arrayfuncs.c): dimensions, whether there are
 * nulls, the type of the elements, length and lower bound, then each element behind its length. As text every element
 * would be quoted here and unquoted there, which costs more than everything else in a large append.
 */
export const toTextArray = (values: readonly (string | null | undefined)[]): Buffer => {
  let most = header;
  for (const value of values) most += 4 + 3 * (value?.length ?? 0); // no UTF-16 unit takes more than three bytes
  const buffer = begin(most, values, 25);
  let at = header;
  for (const value of values) {
    const bytes = value === null || value === undefined ? -1 : buffer.write(value, at + 4);
    buffer.writeInt32BE(bytes, at);
    at += 4 + Math.max(0, bytes);
  }
  return buffer.subarray(0, at);
};

export const toIntegerArray = (values: readonly number[]): Buffer =>
  fixed(values, 23, 4, (buffer, value, at) => buffer.writeInt32BE(value, at));

export const toBigintArray = (values: readonly (number | null | undefined)[]): Buffer =>
  fixed(values, 20, 8, (buffer, value, at) => buffer.writeBigInt64BE(BigInt(value), at));

export const toBooleanArray = (values: readonly boolean[]): Buffer =>
  fixed(values, 16, 1, (buffer, value, at) => buffer.writeUInt8(value ? 1 : 0, at));

export const toUuidArray = (values: readonly string[]): Buffer =>
  fixed(values, 2950, 16, (buffer, value, at) => buffer.write(value.replaceAll("-", ""), at, "hex"));

const header = 20;

function begin(size: number, values: readonly unknown[], type: number): Buffer {
  const buffer = Buffer.allocUnsafe(size);
  const nulls = values.some((value) => value === null || value === undefined);
  for (const [index, field] of [1, nulls ? 1 : 0, type, values.length, 1].entries())
    buffer.writeInt32BE(field, 4 * index);
  return buffer;
}

function fixed<T>(
  values: readonly (T | null | undefined)[],
  type: number,
  size: number,
  write: (buffer: Buffer, value: T, at: number) => void,
): Buffer {
  const buffer = begin(header + values.length * (4 + size), values, type);
  let at = header;
  for (const value of values) {
    const absent = value === null || value === undefined;
    buffer.writeInt32BE(absent ? -1 : size, at);
    at += 4;
    if (absent) continue;
    write(buffer, value, at);
    at += size;
  }
  return buffer.subarray(0, at);
}
