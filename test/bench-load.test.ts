import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { readBody } from "../bench/aggregation/answer-body.ts";
import { wholeAnswer } from "../bench/frame/answer-text.ts";
import { Connection } from "../bench/frame/connection.ts";

const withLength = (body: string, more = ""): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`;
const inChunks = (pieces: readonly string[]): string =>
  `HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n${pieces
    .filter((piece) => piece !== "")
    .map((piece) => `${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`)
    .join("")}0\r\n\r\n`;

test("an answer is read when all of it is there, with a length or in chunks", () => {
  const pieces = fc.array(fc.string({ unit: "grapheme" }), { maxLength: 4 });
  fc.assert(
    fc.property(pieces, fc.boolean(), fc.nat(), (said, chunked, at) => {
      const bytes = Buffer.from(chunked ? inChunks(said) : withLength(said.join("")));
      expect(wholeAnswer(bytes)).toEqual({ status: chunked ? 201 : 200, body: said.join(""), closes: false });
      expect(wholeAnswer(bytes.subarray(0, at % bytes.length))).toBeUndefined();
    }),
  );
});

test("an answer of no known length is refused", () => {
  expect(() => wholeAnswer(Buffer.from("HTTP/1.1 200 OK\r\ndate: now\r\n\r\nand so on"))).toThrow("how long");
});

/** A server that does with each connection's data what it is told. */
async function serve(answer: (socket: Socket, connection: number) => void): Promise<string> {
  let connections = 0;
  const server = createServer((socket) => {
    const connection = ++connections;
    socket.on("data", () => answer(socket, connection)).on("error", () => {});
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}
const asked = { method: "GET", path: "/" } as const;

test("a connection is used again, and another one after the server has closed it", async () => {
  const origin = await serve((socket, connection) => {
    const closes = connection === 1 && socket.bytesRead > 60;
    socket.write(withLength(`connection ${connection}`, closes ? "connection: close\r\n" : ""));
    if (closes || connection === 2) socket.end();
  });
  const connection = new Connection(origin);
  const said: string[] = [];
  for (let number = 0; number < 3; number++) said.push((await connection.ask(asked)).body);
  expect(said).toEqual(["connection 1", "connection 1", "connection 2"]);
});

test("what a server closes instead of answering is asked once more on a connection of its own", async () => {
  const origin = await serve((socket, connection) => {
    if (connection === 1 && socket.bytesRead > 60) socket.destroy();
    else socket.write(withLength(`connection ${connection}`));
  });
  const connection = new Connection(origin);
  expect((await connection.ask(asked)).body).toBe("connection 1");
  expect((await connection.ask(asked)).body).toBe("connection 2");
});

test("an answer that breaks off is an error, and the next request has a connection of its own", async () => {
  const origin = await serve((socket, connection) => {
    if (connection === 1) socket.end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
    else socket.end(withLength("whole"));
  });
  const connection = new Connection(origin);
  await expect(connection.ask(asked)).rejects.toThrow("closed before the answer was there");
  expect(await connection.ask(asked)).toMatchObject({ status: 200, body: "whole" });
});

test("an answer is read alike whether or not it begins as expected", () => {
  const values = fc.record({ name: fc.string(), amount: fc.integer() });
  fc.assert(
    fc.property(values, values, fc.option(fc.dictionary(fc.string(), fc.integer())), (data, expected, meta) => {
      const said = { data, ...(meta && { meta: JSON.parse(JSON.stringify(meta)) }) };
      expect(readBody(JSON.stringify(said), expected)).toEqual(said);
      expect(readBody(JSON.stringify(said), data)).toEqual(said);
    }),
  );
});
