import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

/** Answers bytes that are no HTTP request, or that come too slowly, with a problem document too. */
export function answerBrokenRequest(failure: Error & { readonly code?: string }, socket: Socket): void {
  if (!socket.writable || failure.code === "ECONNRESET") return void socket.destroy();
  const [status, detail] = answers[failure.code ?? ""] ?? [400, "This is not an HTTP request that can be read."];
  const body = JSON.stringify({
    type: "urn:trilith:fault:MalformedBody",
    title: "The request cannot be read.",
    status,
    detail,
    code: "MalformedBody",
    retry: "never",
  });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n${body}`,
  );
}

const answers: { readonly [code: string]: readonly [status: number, detail: string] } = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, "The request did not arrive within its time."],
  HPE_HEADER_OVERFLOW: [431, "The headers are larger than 16 KiB."],
};
