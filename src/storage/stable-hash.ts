/** FNV-1a over UTF-16 code units: spreads similar names, and is the same in every process and for good. */
export function stableHash(name: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < name.length; index++) value = Math.imul(value ^ name.charCodeAt(index), 0x01000193);
  return value >>> 0;
}

/**
 * The partition of a stream, from 0 on. Checkpoints are kept by it, so it may never change. Mixed once more (as MurmurHash3
 * ends), for lanes go by the plain hash: the streams of one partition would all go through one lane.
 */
export function toPartition(stream: string, partitions: number): number {
  let value = stableHash(stream);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return ((value ^ (value >>> 16)) >>> 0) % partitions;
}
