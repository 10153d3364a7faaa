import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate } from "node:zlib";
import { HttpProblem } from "./problem.ts";

/** The encodings that `decompress` undoes. */
export const acceptEncoding = "gzip, deflate, br";

/** Undoes a content encoding; what would grow beyond the limit is given up on the way. */
export async function decompress(body: Uint8Array, encoding: string, maxBytes: number): Promise<Uint8Array> {
  const name = encoding.trim().toLowerCase() || "identity";
  if (name === "identity" || body.byteLength === 0) return body;
  const undo = decompressors[name];
  if (!undo) throw new HttpProblem("unreadable", "answered in a content encoding that was not offered");
  try {
    return await undo(body, { maxOutputLength: maxBytes });
  } catch (error) {
    if ((error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE")
      throw new HttpProblem("too large", `answered with more than ${inWords(maxBytes)}, decompressed`, error);
    throw new HttpProblem("unreadable", `answered with ${name} data that is broken or cut short`, error);
  }
}

type Undo = (body: Uint8Array, options: { readonly maxOutputLength: number }) => Promise<Uint8Array>;
const decompressors: { readonly [encoding: string]: Undo } = {
  gzip: promisify(gunzip) as Undo,
  "x-gzip": promisify(gunzip) as Undo,
  deflate: promisify(inflate) as Undo,
  br: promisify(brotliDecompress) as Undo,
};

export const inWords = (bytes: number): string =>
  bytes >= 2 ** 20 ? `${Math.round((bytes / 2 ** 20) * 10) / 10} MiB` : `${bytes} bytes`;
