/** What the suites of other engines for durable work ask of them, asked of this one. docs/behaviours-orchestration.md says who asks what. */
import { readFileSync } from "node:fs";
import { command, contract } from "trilith/contracts";
import { machine, schedule } from "trilith/orchestration";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { type Body, Counters, Lab, type OpenLab, openLab } from "./behaviours-lab.ts";
import { openDatabase, type TestDatabase } from "./shared-postgres.ts";

const told: (readonly [sentence: string, check: (lab: OpenLab, name: string) => Promise<void>])[] = [];
/** A behaviour. `name` is that of a counter which nobody else uses. */
function behaviour(sentence: string, check: (lab: OpenLab, name: string) => Promise<void>): void {
  told.push([sentence, check]);
}
const patiently = { timeout: 60_000, interval: 25 };
const hour = 3_600_000;
const range = (length: number): number[] => Array.from({ length }, (_, n) => n);
const steps = (entries: readonly { readonly type: string }[], type = "StepStarted") =>
  entries.filter((one) => one.type === type);
const failing = (times: number, value: unknown = "done") => {
  let attempts = 0;
  return Object.assign(
    () => {
      if (++attempts <= times) throw new Error(`Attempt ${attempts} fails.`);
      return value;
    },
    { attempts: () => attempts },
  );
};
/** What a step fails with, by its code or its sentence. */
const said = (step: PromiseLike<unknown>) =>
  step.then(undefined, (error: { readonly code?: string; readonly message: string }) =>
    error.code === undefined || error.code === "Internal" ? error.message : error.code,
  );
const quick = { retry: { backoff: "1ms" } } as const;

behaviour("a run gives back what its workflow returns", async ({ run }) => {
  expect(await run(async (n) => n + 1, 4)).toBe(5);
});
behaviour("a workflow that returns nothing has an end and no output", async ({ begin, until }) => {
  expect(await until(await begin(async () => {}), "done")).not.toHaveProperty("output");
});
behaviour("a step gives back its result, and the next one may use it", async ({ run }) => {
  const made = run(
    async (n, { run }) => run.step("twice", async () => (await run.id) && n).then((n) => run.step("more", () => n + 1)),
    4,
  );
  expect(await made).toBe(5);
});
behaviour("an input that is not what the contract says begins no run", async ({ running }) => {
  const answer = await fetch(`${running.url}/lab`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  expect(answer.status).toBe(422);
});
behaviour("the same key is the same run", async ({ running, known }, name) => {
  const body = known(async (_, { run }) => run.id);
  const first = await running.begin(Lab.run, { body }, { key: name });
  expect(await running.begin(Lab.run, { body }, { key: name })).toEqual(first);
});
behaviour(
  "ten callers with one key at once begin one run, and all get its result",
  async ({ running, known }, name) => {
    const body = known(async (_, { counters }) => counters.add({ name }));
    const client = running.client(Lab, { key: name });
    expect(await Promise.all(range(10).map(() => client.run({ body })))).toEqual(range(10).map(() => 1));
  },
);
behaviour("a key that is sent again after the end gets the first result", async (lab, name) => {
  const body = lab.known(async (_, { counters }) => counters.add({ name }));
  const ask = () => lab.running.client(Lab, { key: name }).run({ body });
  expect(await ask()).toBe(1);
  await lab.restart();
  expect(await ask()).toBe(1);
  expect(await lab.count(name)).toBe(1);
});
behaviour(
  "a key that is sent again after a failure gets that failure, and nothing is done again",
  async ({ running, known }, name) => {
    let times = 0;
    const body = known(async (_, { fail }) => {
      times++;
      throw fail.No();
    });
    const client = running.client(Lab, { key: name });
    for (let again = 0; again < 2; again++) await expect(client.run({ body })).rejects.toMatchObject({ code: "No" });
    expect(times).toBe(1);
  },
);
behaviour("the same key for another operation is another run", async ({ running, known }, name) => {
  const body = known(async (_, { run }) => run.id);
  const one = await running.begin(Lab.run, { body }, { key: name });
  expect(await running.begin(Lab.child, { body }, { key: name })).not.toEqual(one);
});
behaviour("calls without a key are runs of their own", async ({ begin }) => {
  const body = async () => {};
  expect(await begin(body)).not.toBe(await begin(body));
});
behaviour("the same key with another input is refused", async ({ running, known }, name) => {
  const body = known(async () => {});
  await running.begin(Lab.run, { body, value: 1 }, { key: name });
  await expect(running.begin(Lab.run, { body, value: 2 }, { key: name })).rejects.toMatchObject({ code: "KeyReused" });
});
behaviour(
  "whoever does not wait is told which run it is, and can ask for its result later",
  async ({ begin, signal, until }) => {
    const run = await begin(async (_, { run }) => (await run.signal.message).text);
    expect((await until(run, "running", "waiting")).output).toBeUndefined();
    await signal(run, "now");
    expect(await until(run, "done")).toMatchObject({ output: "now" });
  },
);
behaviour(
  "whoever waits goes on waiting while the run does, and gets its result",
  async ({ running, known, signal }, name) => {
    const body = known(async (_, { run }) => (await run.signal.message).text);
    const waiting = running.client(Lab, { key: name }).run({ body });
    const { run } = await running.begin(Lab.run, { body }, { key: name });
    await signal(run, "hello");
    expect(await waiting).toBe("hello");
  },
);
behaviour("an unknown run is not found", async ({ get }) => {
  expect(await get("00000000-0000-4000-8000-000000000000")).toMatchObject({ status: 404 });
});
behaviour("a run that is asked for later is not begun before", async ({ begin, clock, count, until }, name) => {
  const run = await begin(async (_, { counters }) => counters.add({ name }), null, { delay: "2 hours" });
  clock.skip(hour);
  expect(await count(name)).toBe(0);
  clock.skip(hour);
  expect((await until(run, "done")).output).toBe(1);
});
behaviour("ten runs that are asked for at the same later time begin side by side", async ({ begin, clock, until }) => {
  const runs = await Promise.all(range(10).map(() => begin(async () => 1, null, { delay: "1 hour" })));
  clock.skip(hour);
  for (const run of runs) expect((await until(run, "done")).output).toBe(1);
});

behaviour(
  "a step that is done is not done again when its run goes on after a restart",
  async ({ begin, restart, signal, until }) => {
    let times = 0;
    const run = await begin(async (_, { run }) => {
      const first = await run.step("once", () => ++times);
      await run.signal.message;
      return [first, times];
    });
    await until(run, "waiting", "running");
    await restart();
    await signal(run, "on");
    expect((await until(run, "done")).output).toEqual([1, 1]);
  },
);
behaviour("two steps of one name have results of their own", async ({ run }) => {
  let times = 0;
  const step = () => ++times;
  expect(await run(async (_, { run }) => [await run.step("same", step), await run.step("same", step)])).toEqual([1, 2]);
});
behaviour(
  "a step whose name looks like another one's second is not taken for it",
  async ({ begin, until, running }) => {
    const names = ["foo", "foo#2", "foo", "foo#2", "foo%232"];
    const run = await begin(async (_, { run }) => {
      const values: number[] = [];
      for (const [n, name] of names.entries()) values.push(await run.step(name, () => n));
      return values;
    });
    expect((await until(run, "done")).output).toEqual(range(names.length));
    const paths = steps((await running.history(run)).entries).map((one) => (one as unknown as { path: string }).path);
    expect(new Set(paths).size).toBe(names.length);
  },
);
behaviour("steps side by side give their results in the order of the code", async ({ run }) => {
  const results = run(async (_, { run }) =>
    run.all(
      [3, 1, 2].map((n) => run.step(`step ${n}`, () => new Promise((resolve) => setTimeout(() => resolve(n), 5 * n)))),
    ),
  );
  expect(await results).toEqual([3, 1, 2]);
});
behaviour("steps side by side are under way at the same time", async ({ run }) => {
  let now = 0;
  let most = 0;
  const step = async () => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 20));
    now--;
  };
  await run(async (_, { run }) => void (await run.all([1, 2, 3].map((n) => run.step(`step ${n}`, step)))));
  expect(most).toBe(3);
});
behaviour("branches side by side have the same results after a restart", async ({ begin, restart, signal, until }) => {
  let times = 0;
  const run = await begin(async (_, { run }) => {
    const before = await run.all(range(5), (n, { run }) => run.step("draw", () => `${n}: ${times++}`));
    await run.signal.message;
    return before;
  });
  await until(run, "waiting");
  await restart();
  await signal(run, "on");
  const { output } = await until(run, "done");
  expect((output as string[]).map((text) => text.slice(0, 2))).toEqual(range(5).map((n) => `${n}:`));
  expect(times).toBe(5);
});
behaviour("one of several steps that fails fails them all, when the others have settled", async ({ run }) => {
  let settled = false;
  const slow = ({ aborted }: { readonly aborted: AbortSignal }) =>
    new Promise<void>((resolve) =>
      aborted.addEventListener("abort", () => {
        settled = true;
        resolve();
      }),
    );
  const made = run(
    async (_, { run, counters }) => void (await run.all([run.step("slow", slow), counters.refuse({ name: "x" })])),
  );
  await expect(made).rejects.toMatchObject({ code: "No" });
  expect(settled).toBe(true);
});
behaviour("a step is tried again until it succeeds", async ({ run }) => {
  const step = failing(3);
  expect(await run(async (_, { run }) => run.step("shaky", step, quick))).toBe("done");
  expect(step.attempts()).toBe(4);
});
behaviour("a step is tried as often as it may be, and then fails with its last error", async ({ run }) => {
  const step = failing(99);
  await expect(run(async (_, { run }) => run.step("shaky", step, { ...quick, attempts: 3 }))).rejects.toThrow(
    "Attempt 3 fails.",
  );
  expect(step.attempts()).toBe(3);
});
behaviour("each attempt is told which one it is, and the same key", async ({ run }) => {
  const seen: unknown[] = [];
  await run(async (_, { run }) => {
    await run.step(
      "shaky",
      ({ attempt, key }) => {
        seen.push([attempt, key]);
        if (attempt < 3) throw new Error("Again.");
      },
      quick,
    );
  });
  expect(seen.map((one) => (one as [number])[0])).toEqual([1, 2, 3]);
  expect(new Set(seen.map((one) => (one as [number, string])[1])).size).toBe(1);
});
behaviour("the pauses between attempts grow", async ({ begin, until, running }) => {
  const policy = { attempts: 5, retry: { backoff: "20ms", factor: 3, jitter: false } } as const;
  const run = await begin(async (_, { run }) => run.step("shaky", failing(4), policy));
  await until(run, "done");
  const at = steps((await running.history(run)).entries, "AttemptFailed").map(
    (one) => (one as unknown as { at: number }).at,
  );
  expect((at[3] as number) - (at[2] as number)).toBeGreaterThan((at[1] as number) - (at[0] as number));
});
behaviour("a declared failure is not tried again", async ({ begin, running, until }, name) => {
  const run = await begin(async (_, { counters }) => counters.refuse({ name }));
  expect((await until(run, "failed")).problem).toMatchObject({ code: "No" });
  const { entries } = await running.history(run);
  expect(steps(entries, "StepFailed")).toHaveLength(1);
  expect(steps(entries, "AttemptFailed").length).toBeLessThanOrEqual(1);
});
behaviour("a step's failure can be caught, and the run goes on", async ({ run }) => {
  const made = run(async (_, { run }) => said(run.step("never", failing(99), { ...quick, attempts: 2 })));
  expect(await made).toContain("Attempt 2 fails.");
});
behaviour("what a step fell back to is the same after a restart", async ({ begin, restart, signal, until }) => {
  let times = 0;
  const run = await begin(async (_, { run }) => {
    const value = await run.step("never", failing(99), { ...quick, attempts: 1 }).or(() => ++times);
    await run.signal.message;
    return value;
  });
  await until(run, "waiting");
  await restart();
  times = 100;
  await signal(run, "on");
  expect((await until(run, "done")).output).toBe(1);
});
behaviour("an error in the workflow's own code fails the run, and says what it was", async ({ run }) => {
  const made = run(async () => {
    throw new Error("It broke.");
  });
  await expect(made).rejects.toThrow("It broke.");
});
behaviour("runs that fail harm no other run", async ({ run }) => {
  for (const _ of range(5))
    await expect(run(async (_, { fail }) => Promise.reject(fail.No()))).rejects.toMatchObject({ code: "No" });
  expect(await run(async () => "well")).toBe("well");
});
behaviour(
  "what was stored before a failure stays stored, unless the code says how it is undone",
  async ({ run, count }, name) => {
    const made = run(async (_, { counters, fail }) => {
      await counters.add({ name });
      throw fail.No();
    });
    await expect(made).rejects.toMatchObject({ code: "No" });
    expect(await count(name)).toBe(1);
  },
);
behaviour(
  "what a failed run has to undo is undone, last step first, and nothing that was never done",
  async ({ run }) => {
    const undone: number[] = [];
    const made = run(async (_, { run, counters, fail }) => {
      for (const n of [1, 2, 3]) await run.step(`step ${n}`, () => {}).undo(() => void undone.push(n));
      await counters
        .add({ name: "broken" }, { attempts: 1 })
        .undo(() => void undone.push(4))
        .or(() => 0); // nobody knows whether it was done, until its key is voided
      throw fail.No();
    });
    await expect(made).rejects.toMatchObject({ code: "No" });
    expect(undone).toEqual([3, 2, 1]);
  },
);
behaviour("an attempt that takes too long is given up, told so, and tried again", async ({ run }) => {
  let aborted = false;
  const made = run(async (_, { run }) =>
    run.step(
      "slow",
      ({ attempt, aborted: signal }) => {
        if (attempt > 1) return "in time";
        return new Promise<string>(() => signal.addEventListener("abort", () => (aborted = true)));
      },
      { ...quick, timeout: "30ms" },
    ),
  );
  expect([await made, aborted]).toEqual(["in time", true]);
});
behaviour("a part of a workflow that takes too long is given up", async ({ run }) => {
  const made = run(async (_, { run }) =>
    run.within("30ms", run.sleep("1 hour")).catch((error: { code: string }) => error.code),
  );
  expect(await made).toBe("DeadlineExceeded");
});
behaviour("results keep what JSON can say: nothing, null, letters of any script, depth", async ({ run }) => {
  const value = { nothing: null, text: "ßø漢😀\u0000", deep: [[[{ a: [1.5, -0.25, 1e300] }]]], empty: {}, list: [] };
  expect(
    await run(
      async (given, { run }) => [
        given,
        await run.step("same", () => value),
        (await run.step("none", () => {})) ?? "none",
      ],
      value,
    ),
  ).toEqual([value, value, "none"]);
});
behaviour("a result that is too large to be kept pauses the run, and says so", async ({ begin, until }) => {
  const run = await begin(async (_, { run }) => run.step("large", () => "x".repeat(20_000_000)));
  expect((await until(run, "paused")).reason).toContain("large");
});
behaviour("randomness and ids are the same after a restart", async ({ begin, restart, signal, until }) => {
  const seen: string[] = [];
  const run = await begin(async (_, { run }) => {
    seen.push(JSON.stringify([run.random(), run.uuid(), run.random()]));
    await run.signal.message;
  });
  await until(run, "waiting");
  await restart();
  await signal(run, "on");
  await until(run, "done");
  expect(seen.length).toBeGreaterThan(1);
  expect(new Set(seen).size).toBe(1);
});
behaviour(
  "the time that a workflow sees is the same after a restart, and goes on with its results",
  async ({ begin, restart, clock, until }) => {
    const seen: number[] = [];
    const run = await begin(async (_, { run }) => {
      seen.push(run.now().getTime());
      await run.sleep("1 hour");
      return run.now().getTime();
    });
    await until(run, "waiting");
    await restart();
    clock.skip(hour);
    const { output } = await until(run, "done");
    expect(new Set(seen).size).toBe(1);
    expect(output as number).toBeGreaterThanOrEqual((seen[0] as number) + hour);
  },
);
behaviour(
  "what a step has stored is stored once, though its run is replayed on another node",
  async ({ begin, restart, signal, until, count }, name) => {
    const run = await begin(async (_, { run, counters }) => {
      await counters.add({ name });
      await run.signal.message;
      return counters.add({ name });
    });
    await until(run, "waiting", "running");
    await restart();
    await signal(run, "on");
    expect((await until(run, "done")).output).toBe(2);
    expect(await count(name)).toBe(2);
  },
);

behaviour("a run that sleeps is let go of, and goes on when the time is over", async ({ begin, clock, until }) => {
  const run = await begin(async (_, { run }) => {
    await run.sleep("2 hours");
    return "slept";
  });
  await until(run, "waiting");
  clock.skip(hour);
  expect((await until(run, "waiting")).output).toBeUndefined();
  clock.skip(hour);
  expect((await until(run, "done")).output).toBe("slept");
});
behaviour("a sleep is not begun anew by a restart", async ({ begin, clock, restart, until }) => {
  const run = await begin(async (_, { run }) => run.sleep("2 hours"));
  await until(run, "waiting");
  clock.skip(hour);
  await restart();
  clock.skip(hour);
  await until(run, "done");
});
behaviour(
  "a sleep that ends while nobody is there ends when somebody is",
  async ({ begin, clock, running, restart, until }) => {
    const run = await begin(async (_, { run }) => run.sleep("1 hour"));
    await until(run, "waiting");
    await running.stop();
    clock.skip(2 * hour);
    await restart();
    await until(run, "done");
  },
);
behaviour("a hundred runs that sleep until the same instant all wake", async ({ begin, clock, until }) => {
  const runs = await Promise.all(range(100).map(() => begin(async (_, { run }) => run.sleep("1 hour"))));
  for (const run of runs) await until(run, "waiting");
  clock.skip(hour);
  for (const run of runs) await until(run, "done");
});
behaviour("sleeps side by side take as long as the longest", async ({ begin, clock, until }) => {
  const run = await begin(
    async (_, { run }) => void (await run.all([run.sleep("1 hour"), run.sleep("3 hours"), run.sleep("2 hours")])),
  );
  await until(run, "waiting");
  clock.skip(2.5 * hour);
  await until(run, "waiting");
  clock.skip(0.5 * hour);
  await until(run, "done");
});

behaviour("a signal goes to the run that waits for it", async ({ begin, signal, until }) => {
  const run = await begin(async (_, { run }) => (await run.signal.message).text);
  expect(await signal(run, "hello")).toBe(202);
  expect((await until(run, "done")).output).toBe("hello");
});
behaviour("a signal that comes before it is waited for is kept", async ({ begin, clock, signal, until }) => {
  const run = await begin(async (_, { run }) => {
    await run.sleep("1 hour");
    return (await run.signal.message).text;
  });
  await signal(run, "early");
  clock.skip(hour);
  expect((await until(run, "done")).output).toBe("early");
});
behaviour("signals of one name are taken in the order in which they came", async ({ begin, signal, until }) => {
  const run = await begin(async (_, { run }) => {
    const texts: string[] = [];
    while (texts.length < 5) texts.push((await run.signal.message).text);
    return texts;
  });
  for (const n of range(5)) await signal(run, String(n));
  expect((await until(run, "done")).output).toEqual(range(5).map(String));
});
behaviour("a signal that is sent twice with one key is taken once", async ({ begin, signal, until }) => {
  const run = await begin(async (_, { run }) => [(await run.signal.message).text, (await run.signal.message).text]);
  await signal(run, "a", { key: "k" });
  await signal(run, "a", { key: "k" });
  await signal(run, "b");
  expect((await until(run, "done")).output).toEqual(["a", "b"]);
});
behaviour("a wait for a signal may have an end", async ({ begin, clock, until }) => {
  const run = await begin(async (_, { run }) => (await run.signal.message.within("1 hour")) ?? "nobody");
  await until(run, "waiting");
  clock.skip(hour);
  expect((await until(run, "done")).output).toBe("nobody");
});
behaviour("of a signal and a time the first wins", async ({ begin, clock, signal, until }) => {
  const race: Parameters<OpenLab["begin"]>[0] = async (_, { run }) =>
    (await run.race({ signal: run.signal.message, time: run.sleep("1 hour") })).winner;
  const [one, two] = [await begin(race), await begin(race)];
  await signal(one, "x");
  expect((await until(one, "done")).output).toBe("signal");
  await until(two, "waiting");
  clock.skip(hour);
  expect((await until(two, "done")).output).toBe("time");
});
behaviour("of several the first that succeeds is taken, whatever fails before it", async ({ begin, signal, until }) => {
  const run = await begin(async (_, { run }) => {
    const never = () => run.step("never", failing(99), { attempts: 1 });
    const { winner } = await run.any({ zero: never(), one: run.signal.message, two: never(), three: run.signal.other });
    return winner;
  });
  await signal(run, "x");
  expect((await until(run, "done")).output).toBe("one");
});
behaviour(
  "a signal that is not what the contract says is refused, and so is one that there is not",
  async ({ begin, running, signal }) => {
    const run = await begin(async (_, { run }) => run.signal.message);
    const headers = { "content-type": "application/json" };
    const wrong = await fetch(`${running.url}/runs/${run}/signals/message`, {
      method: "POST",
      headers,
      body: '{"text": 1}',
    });
    expect(wrong.status).toBe(422);
    expect(await signal(run, "x", { name: "nothing" })).toBe(404);
    await signal(run, "x");
  },
);
behaviour("a signal to a run that has ended, or that there is not, is refused", async ({ begin, signal, until }) => {
  const run = await begin(async () => {});
  await until(run, "done");
  expect(await signal(run, "late")).toBe(409);
  expect(await signal("00000000-0000-4000-8000-000000000000", "x")).toBe(404);
});
behaviour("a run that waits over a restart takes its signal afterwards", async ({ begin, restart, signal, until }) => {
  const run = await begin(async (_, { run }) => (await run.signal.message).text);
  await until(run, "waiting", "running");
  await restart();
  await signal(run, "after");
  expect((await until(run, "done")).output).toBe("after");
});

behaviour("a workflow that another one calls gives it its result", async ({ run, known }) => {
  const child = known(async (n) => n * 2);
  expect(await run(async (n, { lab }) => ((await lab.child({ body: child, value: n })) as number) + 1, 5)).toBe(11);
});
behaviour("a failure of a workflow that another one calls is that call's failure", async ({ run, known }) => {
  const child = known(async (_, { fail }) => Promise.reject(fail.No()));
  const made = run(async (_, { lab }) => said(lab.child({ body: child })));
  expect(await made).toBe("No");
});
behaviour(
  "a run that another one begins goes on when that one has ended",
  async ({ run, known, clock, count }, name) => {
    const child = known(async (_, { run, counters }) => {
      await run.sleep("1 hour");
      return counters.add({ name });
    });
    await run(async (_, { run }) => void (await run.child(Lab.child, { body: child })));
    expect(await count(name)).toBe(0);
    clock.skip(hour);
    await expect.poll(() => count(name), patiently).toBe(1);
  },
);
behaviour(
  "a child is begun once, though its parent is restarted, and the parent is told of its end",
  async ({ begin, known, restart, clock, until, count }, name) => {
    const child = known(async (_, { run, counters }) => {
      await run.sleep("1 hour");
      return counters.add({ name });
    });
    const run = await begin(async (_, { lab }) => lab.child({ body: child }));
    await until(run, "waiting");
    await restart();
    clock.skip(hour);
    expect((await until(run, "done")).output).toBe(1);
    expect(await count(name)).toBe(1);
  },
);
behaviour("several children side by side give their results in the order of the code", async ({ run, known }) => {
  const child = known(async (n) => n);
  expect(
    await run(async (_, { run }) => run.all(range(8), (n, { lab }) => lab.child({ body: child, value: n }))),
  ).toEqual(range(8));
});
behaviour(
  "a run that waits for a child may give up waiting, and the child goes on",
  async ({ begin, known, clock, until, count }, name) => {
    const child = known(async (_, { run, counters }) => {
      await run.sleep("3 hours");
      return counters.add({ name });
    });
    const run = await begin(async (_, { run }) => {
      const begun = await run.child(Lab.child, { body: child });
      return run.within("1 hour", begun.result()).catch((error: { code: string }) => error.code);
    });
    await until(run, "waiting");
    clock.skip(hour);
    expect((await until(run, "done")).output).toBe("DeadlineExceeded");
    clock.skip(2 * hour);
    await expect.poll(() => count(name), patiently).toBe(1);
  },
);

behaviour(
  "a run that continues as new keeps its id, takes its new input, and gives its last result",
  async ({ begin, until, running }) => {
    const run = await begin(async (n, { run, lab: _ }) => {
      if (n < 3) throw run.continueAsNew({ body: "continue", value: n + 1 });
      return [n, run.id];
    }, 3);
    expect((await until(run, "done")).output).toEqual([3, run]);
    expect((await running.history(run)).entries.length).toBeGreaterThan(0);
  },
);
behaviour(
  "a signal that was not taken is kept when the run continues as new",
  async ({ bodies, running, signal, until, clock }, name) => {
    bodies.set(name, async (n, { run }) => {
      if (n > 0) return (await run.signal.message).text;
      await run.sleep("1 hour");
      throw run.continueAsNew({ body: name, value: 1 });
    });
    const { run } = await running.begin(Lab.run, { body: name, value: 0 });
    await signal(run, "kept");
    clock.skip(hour);
    expect((await until(run, "done")).output).toBe("kept");
  },
);

behaviour(
  "what a run says of itself is seen while it is under way, and after a restart",
  async ({ begin, get, restart, signal, until }) => {
    const run = await begin(async (_, { run }) => {
      run.progress({ step: "first" });
      await run.signal.message;
      run.progress({ step: "second" });
      await run.signal.other;
    });
    await expect.poll(async () => (await get(run)).progress, patiently).toEqual({ step: "first" });
    await restart();
    await signal(run, "on");
    await expect.poll(async () => (await get(run)).progress, patiently).toEqual({ step: "second" });
    await signal(run, "on", { name: "other" });
    await until(run, "done");
  },
);

const changed = async (
  { bodies, running, restart, signal, until }: OpenLab,
  name: string,
  second: Parameters<OpenLab["run"]>[0],
) => {
  bodies.set(name, async (_, { run }) => {
    await run.step("first", () => {});
    await run.signal.message;
  });
  const { run } = await running.begin(Lab.run, { body: name });
  await until(run, "waiting", "running");
  bodies.set(name, second);
  await restart();
  await signal(run, "on");
  return run;
};
for (const [what, second] of [
  ["has another step first", async (_, { run }) => void (await run.step("other", () => {}))],
  ["leaves a step out", async (_, { run }) => void (await run.signal.message)],
  ["calls where it slept before", async (_, { counters }) => void (await counters.add({ name: "x" }))],
] as readonly (readonly [string, Parameters<OpenLab["run"]>[0]])[]) {
  behaviour(`a run whose code ${what} is paused, with both lines`, async (lab, name) => {
    const run = await changed(lab, name, second);
    expect((await lab.until(run, "paused")).reason).toMatch(/journal says: .*\n.*code asks for: /);
  });
}
behaviour("a run that was paused goes on when its code is what it was", async (lab, name) => {
  const run = await changed(lab, name, async (_, { run }) => void (await run.step("other", () => {})));
  await lab.until(run, "paused");
  lab.bodies.set(name, async (_, { run }) => {
    await run.step("first", () => {});
    await run.signal.message;
    return "mended";
  });
  await lab.running.resume(run);
  expect((await lab.until(run, "done")).output).toBe("mended");
});
behaviour("a run that is past a change goes the old way, and a new one the new way", async (lab, name) => {
  const patched: Parameters<OpenLab["run"]>[0] = async (_, { run }) => {
    const isNew = run.changed("greet");
    if (isNew) await run.step("greet", () => {});
    await run.step("first", () => {});
    await run.signal.message;
    return isNew;
  };
  const old = await changed(lab, name, patched);
  expect((await lab.until(old, "done")).output).toBe(false);
  const { run } = await lab.running.begin(Lab.run, { body: name });
  await lab.signal(run, "on");
  expect((await lab.until(run, "done")).output).toBe(true);
});

behaviour(
  "never more runs are under way than the limit lets in, and all have their turn",
  async ({ running, known }) => {
    let now = 0;
    let most = 0;
    const body = known(async (_, { run }) =>
      run.step("work", async () => {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve, 5));
        now--;
      }),
    );
    const client = running.client(Lab);
    await Promise.all(range(12).map(() => client.narrow({ body, priority: 0 })));
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(2);
  },
);
behaviour("those that wait are let in by their priority", async ({ running, known, until }) => {
  const order: number[] = [];
  const blocking: PromiseWithResolvers<void>[] = [];
  const blocker = known(async (_, { run }) => {
    await run.step("wait", () => {
      const gate = Promise.withResolvers<void>();
      blocking.push(gate);
      return gate.promise;
    });
  });
  const body = known(async (n, { run }) => void (await run.step("work", () => void order.push(n))));
  const begin = (priority: number, body: string) => running.begin(Lab.narrow, { body, priority, value: priority });
  const blocked = [await begin(0, blocker), await begin(0, blocker)];
  await expect.poll(() => blocking.length, patiently).toBe(2);
  const waiting = [];
  for (const priority of [1, 5, 3]) waiting.push(await begin(priority, body));
  blocking[0]?.resolve(); // the other one stays, so that they come one after the other
  for (const { run } of waiting) await until(run, "done");
  expect(order).toEqual([5, 3, 1]);
  blocking[1]?.resolve();
  for (const { run } of blocked) await until(run, "done");
});

behaviour(
  "a node that stops hands its runs over, and nothing of them is done twice",
  async ({ begin, restart, until, clock, count }, name) => {
    const runs = await Promise.all(
      range(10).map(() =>
        begin(async (_, { run, counters }) => {
          await counters.add({ name });
          await run.sleep("1 hour");
          return counters.add({ name });
        }),
      ),
    );
    await restart();
    for (const run of runs) await until(run, "waiting");
    clock.skip(hour);
    for (const run of runs) await until(run, "done");
    expect(await count(name)).toBe(20);
  },
);

behaviour("an event begins one run, and events of one key begin one together", async ({ running, count }) => {
  const client = running.client(Counters);
  for (const _ of range(3)) await client.add({ name: "source" });
  await expect.poll(() => count("from source"), patiently).toBe(1);
  await client.add({ name: "source" });
  expect(await count("from source")).toBe(1);
});
behaviour("a schedule begins a run at each of its instants, once", async ({ clock, count, running }) => {
  const before = await settled(() => count("ticks"));
  for (const n of [1, 2]) {
    clock.skip(hour);
    await expect.poll(() => count("ticks"), patiently).toBe(before + n);
  }
  expect(await running.schedules()).toMatchObject([{ operation: "lab.tick", waiting: 0 }]);
});
behaviour("a schedule that is paused begins nothing, over restarts, until it is resumed", async (lab) => {
  const before = await settled(() => lab.count("ticks"));
  await lab.running.pauseSchedule("lab.tick");
  await lab.restart();
  lab.clock.skip(3 * hour);
  expect(await lab.running.schedules()).toMatchObject([{ paused: true, next: undefined }]);
  expect(await settled(() => lab.count("ticks"))).toBe(before);
  await lab.running.resumeSchedule("lab.tick");
  lab.clock.skip(hour);
  await expect.poll(() => lab.count("ticks"), patiently).toBe(before + 1);
});
behaviour("instants that nobody was there for are made up for", async (lab) => {
  const before = await settled(() => lab.count("ticks"));
  await lab.running.stop();
  lab.clock.skip(3 * hour);
  await lab.restart();
  await expect.poll(() => lab.count("ticks"), patiently).toBe(before + 3);
});
behaviour("a schedule of no times, or in no zone, is refused", async () => {
  const input = () => ({ name: "x" });
  expect(() => schedule(Lab.tick, { cron: "not a cron", zone: "UTC", input })).toThrow("which are none");
  expect(() => schedule(Lab.tick, { cron: "0 0 * * *", zone: "Not/A/Zone", input })).toThrow("no time zone");
});
behaviour("a machine or a workflow of no version is refused", async () => {
  const Twice = contract("twice", "1.0.0", { go: command({ input: z.object({}) }) });
  const made = (version: number) => () => machine(Twice.go, { version, initial: "a", states: { a: {} } });
  expect(made(0)).toThrow("versions are 1, 2, 3");
});
/** Takes something that it would give back, and waits. */
const patient =
  (undone: unknown[]): Body =>
  async (value, { run }) => {
    await run.step("take", () => value).undo(({ result }) => run.step("give back", () => void undone.push(result)));
    return (await run.signal.message).text;
  };
behaviour("a run that is cancelled undoes what it did, and says that it was cancelled", async (lab) => {
  const undone: unknown[] = [];
  const run = await lab.begin(patient(undone), 1);
  await lab.until(run, "waiting", "running");
  await expect
    .poll(async () => steps((await lab.running.runs.history(run)).entries, "StepDone"), patiently)
    .toHaveLength(1);
  await lab.running.runs.cancel(run, { reason: "a duplicate" });
  expect(await lab.until(run, "cancelled")).toMatchObject({ problem: { code: "Cancelled" } });
  expect(undone).toEqual([1]);
});
behaviour("a run that is cancelled before it begins does nothing", async (lab) => {
  let times = 0;
  const run = await lab.begin(async () => ++times, null, { startAt: new Date(lab.clock.now() + hour) });
  await lab.running.runs.cancel(run);
  await lab.until(run, "cancelled");
  lab.clock.skip(2 * hour);
  expect(await lab.run(async () => "after")).toBe("after");
  expect(times).toBe(0);
});
behaviour("a run that has ended cannot be cancelled", async (lab) => {
  const run = await lab.begin(async () => 1);
  await lab.until(run, "done");
  await expect(lab.running.runs.cancel(run)).rejects.toThrow("has ended: it is done");
});
behaviour("a run that is terminated ends at once, and nothing is undone", async (lab) => {
  const undone: unknown[] = [];
  const run = await lab.begin(patient(undone), 1);
  await expect
    .poll(async () => steps((await lab.running.runs.history(run)).entries, "StepDone"), patiently)
    .toHaveLength(1);
  await lab.running.runs.terminate(run);
  expect(await lab.until(run, "terminated")).toMatchObject({ problem: { code: "Terminated" } });
  expect(undone).toEqual([]);
});
behaviour("a run that is paused begins nothing more, over a restart, until it is resumed", async (lab) => {
  const run = await lab.begin(patient([]), 1);
  await lab.running.runs.pause(run);
  await lab.until(run, "paused");
  await lab.restart();
  expect(await lab.signal(run, "now")).toBe(202);
  expect((await lab.get(run)).state).toBe("paused");
  await lab.running.runs.resume(run);
  expect(await lab.until(run, "done")).toMatchObject({ output: "now" });
});
behaviour("a run that failed and is retried does its failed step again, and none before it", async (lab) => {
  const times = { before: 0, failed: 0 };
  const run = await lab.begin(async (_, { run }) => {
    await run.step("before", () => ++times.before);
    return run.step("fails", () => (++times.failed < 2 ? Promise.reject(new Error("no")) : "yes"), { attempts: 1 });
  });
  await lab.until(run, "failed");
  await lab.running.runs.retry(run);
  expect(await lab.until(run, "done")).toMatchObject({ output: "yes" });
  expect(times).toEqual({ before: 1, failed: 2 });
});
behaviour("a run that is forked from a step keeps the results before it, and does the rest anew", async (lab) => {
  const done: string[] = [];
  const doing = (name: string) => () => {
    done.push(name);
    return done.length;
  };
  const first = await lab.begin(async (_, { run }) => [
    await run.step("one", doing("one")),
    await run.step("two", doing("two")),
  ]);
  expect(await lab.until(first, "done")).toMatchObject({ output: [1, 2] });
  const fork = await lab.running.runs.fork(first, { step: "two" });
  expect(await lab.until(fork, "done")).toMatchObject({ output: [1, 3] });
  expect(done).toEqual(["one", "two", "two"]);
  expect(await lab.get(first)).toMatchObject({ state: "done", output: [1, 2] });
});
behaviour("runs are found by their state, the latest first, page by page", async (lab) => {
  const runs: string[] = [];
  for (let n = 0; n < 3; n++) {
    const run = await lab.begin(patient([]), n);
    await lab.running.runs.pause(run);
    await lab.until(run, "paused");
    runs.unshift(run);
  }
  const found = async (after?: string) => {
    const page = { limit: 2, ...(after !== undefined && { after }) };
    return lab.running.runs.list({ states: ["paused"], operation: "lab.run", started: {} }, page);
  };
  const first = await found();
  expect(first.runs.map(({ run }) => run)).toEqual(runs.slice(0, 2));
  expect((await found(first.next)).runs[0]?.run).toBe(runs[2]);
  for (const run of runs) await lab.running.runs.terminate(run);
});
behaviour("an order to many goes to all runs that a filter finds, and says how many followed", async (lab) => {
  const from = lab.clock.now();
  const runs = await Promise.all(range(5).map((n) => lab.begin(patient([]), n)));
  const ended = await lab.begin(async () => "ended");
  await lab.until(ended, "done");
  const { bulk } = await cancelAll(lab, from);
  expect(bulk).toMatchObject({ found: 6, taken: 5 });
  for (const run of runs) await lab.until(run, "cancelled");
  expect((await lab.get(ended)).state).toBe("done");
});

async function cancelAll({ running }: OpenLab, from: number) {
  const { id } = await running.runs.all("cancel", { operation: "lab.run", started: { from } });
  await expect.poll(async () => (await running.runs.bulk(id))?.state, patiently).toBe("done");
  return { bulk: await running.runs.bulk(id) };
}

/** What a number is when it does not change any more. */
async function settled(read: () => Promise<number>): Promise<number> {
  for (let before = await read(); ; ) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    const now = await read();
    if (now === before) return now;
    before = now;
  }
}

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await openDatabase();
}, 120_000);
afterAll(() => postgres.remove());

describe.each([
  { where: "on sqlite", engine: "sqlite", alwaysSuspend: false },
  { where: "on postgres", engine: "postgres", alwaysSuspend: false },
  { where: "on sqlite, suspending at every result", engine: "sqlite", alwaysSuspend: true },
  { where: "on postgres, suspending at every result", engine: "postgres", alwaysSuspend: true },
] as const)("$where", ({ engine, alwaysSuspend }) => {
  let lab: OpenLab;
  beforeAll(async () => {
    lab = await openLab(engine, postgres, alwaysSuspend);
    lab.bodies.set("continue", async (n, { run }) => [n, run.id]);
  }, 120_000);
  afterAll(() => lab.close());
  test.runIf(alwaysSuspend)("a run is taken up anew after each result but the last, with which it ends", async () => {
    const run = await lab.begin(async (_, { run }) => {
      for (const step of ["a", "b", "c"]) await run.step(step, () => step);
    });
    await lab.until(run, "done");
    const { entries } = await lab.running.history(run);
    expect(steps(entries, "Claimed")).toHaveLength(2);
  });
  test.each(told)("%s", (sentence, check) => check(lab, `counter ${told.findIndex(([one]) => one === sentence)}`));
});

test("docs/behaviours-orchestration.md lists these behaviours, and no others", () => {
  const page = readFileSync(new URL("../docs/behaviours-orchestration.md", import.meta.url), "utf8");
  const [, table = ""] = page.match(/<!-- behaviours -->\n([\s\S]*?)<!-- \/behaviours -->/) ?? [];
  const listed = table
    .split("\n")
    .filter((row) => row.startsWith("| ") && !/^\| (behaviour|-+) /.test(row))
    .map((row) => row.split("|")[1]?.trim());
  expect(listed).toEqual(told.map(([sentence]) => sentence));
  expect(told.length).toBeGreaterThanOrEqual(60);
});
