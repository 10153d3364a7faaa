import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Fault } from "../contracts/index.ts";

/** Sends a file from a folder, or says that there is none. Nothing outside the folder is reached, by links neither. */
export async function sendFile(
  folder: string,
  path: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const file = await findFile(folder, path);
  if (!file) return undefined;
  const etag = `"${file.size.toString(36)}-${Math.trunc(file.mtimeMs).toString(36)}"`;
  reply.header("etag", etag);
  // Vite writes a file's hash into its name under assets/, so such a file never changes.
  reply.header("cache-control", /^assets\//.test(path) ? "public, max-age=31536000, immutable" : "no-cache");
  if (request.headers["if-none-match"] === etag) return reply.code(304).send();
  reply.type(mediaTypes[extname(path)] ?? "application/octet-stream").header("content-length", file.size);
  return reply.send(createReadStream(file.path));
}

export const noSuchFile = (): never => {
  throw new Fault("UnknownRoute", "There is no such file.");
};

async function findFile(
  folder: string,
  path: string,
): Promise<{ path: string; size: number; mtimeMs: number } | undefined> {
  const segments = path.split("/");
  if (segments.some((segment) => segment === "" || segment.startsWith(".") || /[\\\0:]/.test(segment)))
    return undefined;
  try {
    const [root, found] = await Promise.all([realpath(folder), realpath(join(folder, ...segments))]);
    if (!found.startsWith(root + sep)) return undefined;
    const about = await stat(found);
    return about.isFile() ? { path: found, size: about.size, mtimeMs: about.mtimeMs } : undefined;
  } catch {
    return undefined;
  }
}

const mediaTypes: { readonly [extension: string]: string } = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
};
