import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { createEventStream } from "./event-stream.ts";

const server = createServer();
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

test("a listener that sleeps costs bounded memory, and hears the latest of each key when it wakes", async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const asked = once(server, "request") as Promise<[IncomingMessage, ServerResponse]>;
  const answered = once(request({ host: "127.0.0.1", port: (server.address() as AddressInfo).port }).end(), "response");
  const [, response] = await asked;
  const stream = createEventStream(response);
  const [listener] = (await answered) as [IncomingMessage];
  listener.pause();
  const filler = "x".repeat(2_000);
  for (let round = 0; round < 200; round++) {
    for (let key = 0; key < 100; key++) stream.sendLatest("span", `key ${key}`, { key, round, filler });
    await nextTurn();
    expect(response.writableLength).toBeLessThan(200_000);
  }
  const heard = new Map<number, number>();
  let text = "";
  listener.setEncoding("utf8").on("data", (chunk: string) => {
    const parts = (text + chunk).split("\n\n");
    text = parts.pop() ?? "";
    for (const part of parts) {
      const [, data] = /^event: span\ndata: (.*)$/.exec(part) ?? [];
      if (!data) continue;
      const { key, round } = JSON.parse(data) as { readonly key: number; readonly round: number };
      heard.set(key, round);
    }
  });
  listener.resume();
  await expect.poll(() => [...heard.values()].filter((round) => round === 199).length).toBe(100);
});
