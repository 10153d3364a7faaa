import { describe, expect, it } from "vitest";
import { Entries } from "../journal/entries.ts";
import { type Entry, type Request, Unreadable } from "../journal/journal.ts";
import { type Delivered, Exchange } from "./exchange.ts";
import { Scope } from "./scope.ts";
import { Script } from "./script.ts";

const began = (path: string): Request & Entry => ({
  ...{ type: "StepStarted", path, name: path, kind: "local", digest: "", undo: false, at: 1 },
});
const done = (path: string): Entry => ({ type: "StepDone", path, wire: path, at: 2 });

describe("an exchange with a journal of which not all has been read", () => {
  const texts: { readonly [text: string]: readonly Entry[] } = {
    "a and b": [began("a"), began("b"), done("a")],
    "b alone": [done("b")],
  };
  const exchangeOver = (...journal: readonly (readonly [text: string, count: number])[]): Exchange => {
    const entries = new Entries((text) => {
      const held = texts[text];
      if (!held) throw new Unreadable(`What is kept of run r is no JSON.`);
      return held;
    });
    for (const [text, count] of journal) entries.addText(text, count);
    return new Exchange(new Script(entries, () => 3));
  };
  const told: Delivered["result"][] = [];
  const ask = (exchange: Exchange, path: string): void =>
    exchange.ask(
      began(path),
      "action",
      Scope.body("r"),
      () => {},
      ({ result }) => void told.push(result),
    );

  it("delivers what stands in it, and is live after its last entry", () => {
    const exchange = exchangeOver(["a and b", 3], ["b alone", 1]);
    expect(exchange.replayNext()).toBe("unasked");
    ask(exchange, "a");
    ask(exchange, "b");
    expect([exchange.replayNext(), exchange.replayNext(), exchange.replayNext()]).toEqual([
      ...["delivered", "delivered", "over"],
    ]);
    expect(told.map((result) => "path" in result && result.path)).toEqual(["a", "b"]);
    expect(exchange.trouble).toBeUndefined();
    expect(exchange.waiting.size).toBe(0);
  });

  it("stops where nobody can read it, and says so to whoever can mend it, not to the code", () => {
    const exchange = exchangeOver(["a and b", 3], ["torn", 1]);
    ask(exchange, "a");
    ask(exchange, "b");
    expect(exchange.replayNext()).toBe("delivered");
    expect(exchange.trouble).toMatch(/cannot be acted out: What is kept of run r is no JSON\./);
  });
});
