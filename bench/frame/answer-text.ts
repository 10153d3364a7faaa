/** An answer over HTTP/1.1 as it was read. */
export interface AnswerText {
  readonly status: number;
  readonly body: string;
  /** Whether nothing more can be asked on its connection. */
  readonly closes: boolean;
}

/** The answer in what was received so far, once all of it is there. Throws where it is none, or not of a known length. */
export function wholeAnswer(received: Buffer): AnswerText | undefined {
  const end = received.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const head = received.toString("latin1", 0, end);
  const [, digits] = /^HTTP\/1\.1 (\d{3})/.exec(head) ?? [];
  if (!digits) throw new Error(`This is no answer: ${head.slice(0, 100)}`);
  const status = Number(digits);
  const from = end + 4;
  const closes = /\r\nconnection: *close/i.test(head);
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
  if (length !== undefined) {
    const to = from + Number(length);
    return received.length < to ? undefined : { status, closes, body: received.toString("utf8", from, to) };
  }
  if (status === 204 || status === 304) return { status, closes, body: "" };
  if (!/\r\ntransfer-encoding: *chunked/i.test(head))
    throw new Error(`The answer does not say how long it is: ${head}`);
  const body = wholeChunks(received, from);
  return body && { status, closes, body: body.toString() };
}

/** Chunk after chunk (RFC 9112, section 7.1), once the last one is there. */
function wholeChunks(received: Buffer, begin: number): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let from = begin; ; ) {
    const line = received.indexOf("\r\n", from);
    if (line < 0) return undefined;
    const length = Number.parseInt(received.toString("latin1", from, line), 16);
    if (Number.isNaN(length)) throw new Error("A chunk of the answer does not say how long it is.");
    const to = line + 2 + length;
    if (received.length < to + 2) return undefined;
    if (length === 0) return Buffer.concat(chunks);
    chunks.push(received.subarray(line + 2, to));
    from = to + 2;
  }
}
