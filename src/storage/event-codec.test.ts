import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { contract, event, eventsOf, type Upcast, upcast } from "../contracts/index.ts";
import { EventCodec } from "./event-codec.ts";
import { Halt } from "./halt.ts";

const Payload = z.object({ n: z.int(), trail: z.array(z.int()) });
/** A chain in which each step does something of its own that cannot be mixed up with another's. */
type Chain = readonly [...Upcast[], Upcast<typeof Payload, z.input<typeof Payload>>]; // of as many steps as there are
const toChain = (factors: readonly number[], called: number[] = []) =>
  factors.map((factor, step) =>
    upcast(Payload, ({ n, trail }) => {
      called.push(step + 1);
      return { n: (n * factor + step) % 1_000_003, trail: [...trail, step + 1] };
    }),
  ) as unknown as Chain; // a list is not known to have a last one
const toCodec = (factors: readonly number[], called?: number[]): EventCodec => {
  const codec = new EventCodec();
  const history = { version: factors.length + 1, from: toChain(factors, called) };
  codec.own(contract("things", "1.0.0", { Done: event(Payload, history) }));
  return codec;
};
const factors = fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 6 });
const payload = fc.record({ n: fc.integer({ min: -1_000, max: 1_000 }), trail: fc.constant([]) });

test("upcasters compose: from whatever version one begins, every later step is taken once and in order", async () => {
  await fc.assert(
    fc.asyncProperty(factors, payload, async (chain, written) => {
      const codec = toCodec(chain);
      const present = chain.length + 1;
      for (let version = 1; version <= present; version++) {
        const read = await codec.decode("things.Done", version, JSON.stringify(written));
        const folded = toChain(chain)
          .slice(version - 1)
          .reduce<unknown>((old, { up }) => up(old), written);
        expect(read).toEqual(folded);
        expect((read as typeof written).trail).toEqual(
          Array.from({ length: present - version }, (_, index) => version + index),
        );
        // One step by hand, then the rest: the same.
        const { up } = toChain(chain)[version - 1] ?? {};
        if (up) expect(await codec.decode("things.Done", version + 1, JSON.stringify(up(written)))).toEqual(read);
      }
    }),
  );
});

test("upcasting is lazy: what is written in the present version passes through no upcaster", async () => {
  await fc.assert(
    fc.asyncProperty(factors, payload, async (chain, written) => {
      const called: number[] = [];
      const codec = toCodec(chain, called);
      const { version, json, value } = await codec.encode("things.Done", written);
      expect(version).toBe(chain.length + 1);
      expect(await codec.decode("things.Done", version, json)).toEqual(value);
      expect(called).toEqual([]);
    }),
  );
});

test("what is stored in a version that the code does not know keeps it from starting, and is named", () => {
  const codec = toCodec([2, 3]);
  codec.check(
    "main",
    [1, 2, 3].map((version) => ({ type: "things.Done", version })),
  );
  const check =
    (version: number, type = "things.Done") =>
    () =>
      codec.check("main", [{ type, version }]);
  expect(check(4)).toThrow(
    'The log "main" holds events things.Done in version 4, and this code knows it up to version 3. Start the newer code, or declare version 4 with its upcasters.',
  );
  expect(check(0)).toThrow("holds events things.Done in version 0, which is no version");
  expect(check(1, "things.Undone")).toThrow("the contract does not declare things.Undone any more");
  check(9, "others.Done")(); // nobody here reads it
});

test("an event of a version that is not known stops whoever reads it, and is never taken for the present one", () => {
  const codec = toCodec([2]);
  for (const version of [3, 0, 1.5])
    expect(() => codec.decode("things.Done", version, '{"n":1,"trail":[]}')).toThrow(Halt);
  expect(() => codec.decode("things.Undone", 1, "{}")).toThrow(Halt);
});

test("an upcaster that fails, or gives what does not fit, is named with its versions", async () => {
  const codec = new EventCodec();
  const failing = upcast(Payload, ({ n }) => {
    if (n === 1) throw new Error("One is odd.");
    return JSON.parse('{"n":"text"}');
  });
  codec.own(contract("things", "1.0.0", { Done: event(Payload, { version: 2, from: [failing] }) }));
  const read = async (data: object) => codec.decode("things.Done", 1, JSON.stringify(data));
  await expect(read({ n: 1, trail: [] })).rejects.toThrow(
    "The upcaster of things.Done from version 1 to 2 failed. One is odd.",
  );
  await expect(read({ n: 2, trail: [] })).rejects.toThrow("does not fit the present schema after its upcasters");
  await expect(read({ n: "x" })).rejects.toThrow("An event things.Done does not fit the schema of its version 1: /n");
});

test("an event that is declared in two versions is refused, for only one of them could be followed", () => {
  const codec = toCodec([]);
  const other = contract("things", "1.1.0", { Done: event(Payload, { version: 2, from: toChain([2]) }) });
  const again = eventsOf(other).get("Done");
  expect(() => again && codec.learn(again)).toThrow(
    "The event things.Done is declared twice, in version 1 and in version 2. Import one contract everywhere.",
  );
});
