import { describe, expect, it } from "vitest";
import { replays, workflowBench } from "../../testing/index.ts";
import { benchOf, everywhere, Jobs, jobOf, Parents, said, shop, toldBy } from "../language/language.test-d.ts";
import { workflow } from "../language/workflow.ts";
import { toCopy } from "./forking.ts";

/** Takes two things, and waits for somebody to say yes. */
const patient = jobOf(async (_, { shop, run }) => {
  await shop.take({ id: "a" }).undo(() => shop.giveBack({ id: "a" }));
  await shop.take({ id: "b" }).undo(() => shop.giveBack({ id: "b" }));
  const { id } = await run.signal.yes;
  return `yes from ${id}`;
});
const steps = (entries: readonly { readonly type: string }[]) =>
  entries.map(({ type }) => type).filter((type) => type !== "Claimed");

describe("a cancelled run", () => {
  it("undoes what it did, in reverse, and says to its caller that it was cancelled and by whom", async () => {
    const bench = benchOf(patient);
    await bench.begin({ n: 1 });
    await bench.steer("cancel", "a duplicate");
    const end = await bench.end().catch((error: unknown) => error);
    expect(end).toMatchObject({ code: "Cancelled", retry: "never", outcome: "not done" });
    expect((end as Error).message).toMatch(/was cancelled by bench: a duplicate$/);
    expect(toldBy(bench, "")).toMatchObject({
      calls: ["shop.take a", "shop.take b", "shop.giveBack b", "shop.giveBack a"],
      state: "cancelled",
    });
    expect(bench.entries.find(({ type }) => type === "Cancelled")).toMatchObject({
      by: "bench",
      reason: "a duplicate",
    });
    expect(bench.row?.endedAt).toBeTypeOf("number");
    await replays(patient, bench.history);
  });

  it("stays cancelled when it is cancelled again, and cannot be paused or terminated any more", async () => {
    const bench = benchOf(patient);
    await bench.begin({ n: 1 });
    await bench.steer("cancel");
    await bench.steer("cancel");
    await bench.end().catch(said);
    const { length } = bench.entries;
    await bench.steer("cancel");
    expect(bench.entries.length).toBe(length);
    expect(bench.entries.filter(({ type }) => type === "UndoBegan").length).toBe(1);
    await expect(bench.steer("pause")).rejects.toThrow("has ended: it is cancelled");
    await expect(bench.steer("terminate")).rejects.toThrow("has ended: it is cancelled");
  });

  it("ends the same whichever commit its node dies at", async () => {
    const told = await everywhere(
      async (options) => {
        const bench = benchOf(patient, options);
        await bench.begin({ n: 1 });
        await bench.pass("2 seconds");
        await bench.steer("cancel");
        const end = await bench.end().catch(said);
        await replays(patient, bench.history);
        return { bench, told: toldBy(bench, end) };
      },
      (told, undisturbed, where) => expect(told, where).toEqual(undisturbed),
    );
    expect(told).toMatchObject({ end: "Cancelled", state: "cancelled" });
  });

  it("aborts the step that is under way, voids it where nobody knows of it, and undoes it", async () => {
    let aborted: string | undefined;
    const stuck = jobOf(async (_, { shop, run }) => {
      await shop.take({ id: "a" }).undo(() => shop.giveBack({ id: "a" }));
      await run
        .step("wait", ({ aborted: signal }) => {
          signal.addEventListener("abort", () => {
            aborted = "aborted";
          });
          return new Promise<string>(() => {});
        })
        .undo(({ outcome }) => run.step(`unwait ${outcome}`, () => "undone").then(() => {}));
    });
    const bench = benchOf(stuck);
    await bench.begin({ n: 1 });
    await bench.steer("cancel");
    expect(await bench.end().catch(said)).toBe("Cancelled");
    expect(aborted).toBe("aborted");
    expect(bench.entries).toContainEqual(expect.objectContaining({ type: "StepStarted", name: "unwait unknown" }));
    expect(toldBy(bench, "").calls).toEqual(["shop.take a", "shop.giveBack a"]);
  });

  it("does not hear of it in its own code, and its undo is not cancelled", async () => {
    const caught: unknown[] = [];
    const stubborn = jobOf(async (_, { shop, run }) => {
      await shop.take({ id: "a" }).undo(async () => {
        await run.sleep("1 minute");
        await shop.giveBack({ id: "a" });
      });
      try {
        await run.signal.yes;
      } catch (error) {
        caught.push(error);
      }
    });
    const bench = benchOf(stubborn);
    await bench.begin({ n: 1 });
    await bench.steer("cancel");
    await bench.steer("cancel");
    expect(await bench.end().catch(said)).toBe("Cancelled");
    expect(caught).toEqual([]);
    expect(toldBy(bench, "").calls).toEqual(["shop.take a", "shop.giveBack a"]);
  });

  it("that fails already is undone for its own reason", async () => {
    const failing = jobOf(async (_, { shop, run, fail }) => {
      await shop.take({ id: "a" }).undo(async () => {
        await run.sleep("1 minute");
        await shop.giveBack({ id: "a" });
      });
      throw fail.No();
    });
    const bench = benchOf(failing);
    await bench.begin({ n: 1 });
    await bench.steer("cancel");
    expect(await bench.end().catch(said)).toBe("No");
    expect(bench.row?.state).toBe("failed");
    expect(bench.entries).toContainEqual(expect.objectContaining({ type: "Steered", to: "cancel", by: "bench" }));
  });

  it("leaves a child alone unless the workflow says what takes it back, and is told of a child's cancelling as of a failure", async () => {
    const parent = workflow(Parents.go, { version: 1, uses: [Jobs] }, async (input, { run, jobs }) => {
      await run.child(Jobs.go, input);
      return jobs.go(input).or((error) => (error as { readonly code: string }).code);
    });
    const bench = workflowBench(parent, [shop()], { beside: [patient] });
    await bench.begin({ n: 1 });
    await bench.pass("3 seconds");
    await bench.steer("cancel");
    expect(await bench.end().catch(said)).toBe("Cancelled");
    const [, ...children] = bench.rows;
    expect(children.map(({ state }) => state)).toEqual(["waiting", "waiting"]);
  });
});

describe("a terminated run", () => {
  it("ends at once with nothing undone, and its caller is told so", async () => {
    const bench = benchOf(patient);
    await bench.begin({ n: 1 });
    await bench.steer("terminate", "enough");
    const end = await bench.end().catch((error: unknown) => error);
    expect(end).toMatchObject({ code: "Terminated", retry: "never", outcome: "unknown" });
    expect(toldBy(bench, "")).toMatchObject({ calls: ["shop.take a", "shop.take b"], state: "terminated" });
    expect(steps(bench.entries).slice(-2)).toEqual(["Steered", "Ended"]);
    await replays(patient, bench.history);
  });

  it("ends whichever commit its node dies at, out of memory as in it", async () => {
    const told = await everywhere(
      async (options) => {
        const bench = benchOf(patient, options);
        await bench.begin({ n: 1 });
        await bench.pass("2 seconds");
        await bench.steer("terminate");
        const end = await bench.end().catch(said);
        return { bench, told: toldBy(bench, end) };
      },
      (told, undisturbed, where) => expect(told, where).toEqual(undisturbed),
    );
    expect(told).toMatchObject({ end: "Terminated", calls: ["shop.take a", "shop.take b"] });
  });

  it("ends though its undo cannot be done, or its code is not what it was", async () => {
    const stuck = jobOf(async (_, { shop, run, fail }) => {
      await run
        .step("one", () => 1)
        .undo(() => run.step("impossible", () => Promise.reject(new Error("no")), { attempts: 1 }).then(() => {}));
      await shop.price({ id: "a" });
      throw fail.No();
    });
    const bench = benchOf(stuck);
    await bench.begin({ n: 1 });
    expect(bench.row?.state).toBe("paused");
    await bench.steer("terminate");
    expect(await bench.end().catch(said)).toBe("Terminated");
  });
});

describe("a run that continues as new", () => {
  /** Whether the first stretch's step has begun, and a way to let it go on. */
  function looping() {
    let release = (): void => {};
    const stuck = new Promise<void>((resolve) => {
      release = resolve;
    });
    const job = jobOf(async ({ n }, { shop, run }) => {
      if (n === 3) return (await run.signal.yes).id;
      await shop.take({ id: `${n}` }).undo(() => shop.giveBack({ id: `${n}` }));
      await run.step("wait", () => (n === 1 ? stuck : undefined));
      throw run.continueAsNew({ n: n + 1 });
    });
    return { job, release };
  }

  it("is paused at the end of its stretch where that was asked during its last step, whichever commit its node dies at", async () => {
    const told = await everywhere(
      async (options) => {
        const { job, release } = looping();
        const bench = benchOf(job, options);
        await bench.begin({ n: 1 });
        const steered = bench.steer("pause");
        release();
        await steered;
        await bench.pass("1 minute");
        const { state } = bench.row ?? {};
        await bench.steer("resume");
        await bench.signal("yes", { id: "x" });
        const end = await bench.end().catch(said);
        return { bench, told: { ...toldBy(bench, end), paused: state } };
      },
      (told, undisturbed, where) => expect(told, where).toEqual(undisturbed),
    );
    expect(told).toMatchObject({ paused: "paused", end: "x", calls: ["shop.take 1", "shop.take 2"] });
  });

  it("is cancelled beside the result that ends its stretch, whichever commit its node dies at", async () => {
    const told = await everywhere(
      async (options) => {
        const { job, release } = looping();
        const bench = benchOf(job, options);
        await bench.begin({ n: 1 });
        const steered = bench.steer("cancel");
        release();
        await steered;
        await bench.pass("1 minute");
        const end = await bench.end().catch(said);
        return { bench, told: toldBy(bench, end) };
      },
      (told, undisturbed, where) => expect(told, where).toEqual(undisturbed),
    );
    expect(told).toMatchObject({ end: "Cancelled", state: "cancelled", calls: ["shop.take 1", "shop.giveBack 1"] });
  });
});

describe("a paused run", () => {
  it("begins nothing more, keeps what is under way, and goes on where it was", async () => {
    const bench = benchOf(patient);
    await bench.begin({ n: 1 });
    await bench.steer("pause", "lunch");
    expect(bench.row).toMatchObject({ state: "paused", owner: null, reason: "Paused by bench: lunch" });
    await bench.signal("yes", { id: "x" });
    expect(bench.row?.state).toBe("paused");
    await bench.steer("pause");
    await bench.steer("resume");
    expect(await bench.end()).toBe("yes from x");
    const kinds = bench.entries.flatMap((entry) => (entry.type === "Steered" ? [`${entry.to} by ${entry.by}`] : []));
    expect(kinds).toEqual(["pause by bench", "resume by bench"]);
    await replays(patient, bench.history);
  });

  it("says who paused it in the commit that pauses it, so that no crash before loses the pause", async () => {
    const under = { first: Promise.withResolvers<void>(), second: Promise.withResolvers<void>() };
    const bench = benchOf(
      jobOf(async (_, { run }) => {
        await run.all([run.step("first", () => under.first.promise), run.step("second", () => under.second.promise)]);
        return run.step("third", () => {});
      }),
    );
    await bench.begin({ n: 1 });
    const steered = bench.steer("pause");
    under.first.resolve();
    await bench.pass("1ms");
    expect(bench.entries.map(({ type }) => type)).toContain("StepDone"); // committed while the other is under way
    expect(bench.entries.map(({ type }) => type)).not.toContain("Steered");
    under.second.resolve();
    await steered;
    await bench.pass("1ms");
    expect(bench.row?.state).toBe("paused");
    expect(bench.entries.slice(-2)).toMatchObject([{ type: "Steered", to: "pause" }, { type: "Paused" }]);
  });

  it("does not wait for the next attempt of a step that keeps failing", async () => {
    let attempts = 0;
    const trying = jobOf(async (_, { run }) =>
      run.step("try", () => (++attempts < 3 ? Promise.reject(new Error("not yet")) : attempts), {
        attempts: 5,
        retry: { backoff: "1 hour", max: "1 hour", jitter: false },
      }),
    );
    const bench = benchOf(trying);
    await bench.begin({ n: 1 });
    await bench.steer("pause");
    expect(bench.row?.state).toBe("paused");
    expect(attempts).toBe(1);
    await bench.steer("resume");
    expect(attempts).toBe(2);
    expect(await bench.end()).toBe(3);
  });

  it("can be cancelled and terminated, and no other run can be resumed", async () => {
    const bench = benchOf(patient);
    await bench.begin({ n: 1 });
    await expect(bench.steer("resume")).rejects.toThrow("only a paused run can be resumed");
    await bench.steer("pause");
    await bench.steer("cancel");
    expect(await bench.end().catch(said)).toBe("Cancelled");
    expect(toldBy(bench, "").calls).toHaveLength(4);
  });

  it("ends the same whichever commit its node dies at", async () => {
    await everywhere(
      async (options) => {
        const bench = benchOf(patient, options);
        await bench.begin({ n: 1 });
        await bench.steer("pause");
        await bench.pass("1 minute");
        await bench.steer("resume");
        await bench.signal("yes", { id: "x" });
        const end = await bench.end().catch(said);
        return { bench, told: toldBy(bench, end) };
      },
      (told, undisturbed, where) => expect(told, where).toEqual(undisturbed),
    );
  });
});

describe("a retried run", () => {
  /** Fails at its last step for as long as the shop is shut. */
  const shopping = (isShut: () => boolean) => {
    const job = jobOf(async (_, { shop, run }) => {
      const one = await shop.take({ id: "a" });
      const two = await run.step("pay", () => (isShut() ? Promise.reject(new Error("shut")) : "paid"), { attempts: 2 });
      return `${one}, ${two}`;
    });
    return job;
  };

  it("does its failed step again with new attempts, and nothing before it", async () => {
    let shut = true;
    const job = shopping(() => shut);
    const bench = benchOf(job);
    expect(await bench.run({ n: 1 }).catch(said)).toBe("shut");
    await bench.steer("retry", "the shop is open");
    expect(await bench.end().catch(said)).toBe("shut");
    shut = false;
    await bench.steer("retry");
    expect(await bench.end()).toBe("took a, paid");
    expect(bench.calls).toHaveLength(1);
    expect(bench.row).toMatchObject({ state: "done" });
    expect(steps(bench.entries).filter((type) => type === "Ended")).toHaveLength(3);
    expect(bench.entries.find(({ type }) => type === "Retried")).toMatchObject({
      by: "bench",
      reason: "the shop is open",
    });
    await replays(job, bench.history);
  });

  it("ends the same whichever commit its node dies at", async () => {
    await everywhere(
      async (options) => {
        let shut = true;
        const bench = benchOf(
          shopping(() => shut),
          options,
        );
        const first = await bench.run({ n: 1 }).catch(said);
        shut = false;
        await bench.steer("retry");
        const end = await bench.end().catch(said);
        return { bench, told: { ...toldBy(bench, end), first } };
      },
      (told, undisturbed, where) => expect(told, where).toEqual(undisturbed),
    );
  });

  it("does steps beside the failed one again under their keys", async () => {
    let shut = true;
    const job = jobOf(async (_, { shop, run }) =>
      run.all([
        run.step("pay", () => (shut ? Promise.reject(new Error("shut")) : "paid"), { attempts: 1 }),
        shop.take({ id: "a" }),
      ]),
    );
    const bench = benchOf(job);
    expect(await bench.run({ n: 1 }).catch(said)).toBe("shut");
    shut = false;
    await bench.steer("retry");
    expect(await bench.end()).toEqual(["paid", "took a"]);
    expect(new Set(bench.calls.map(({ key }) => key)).size).toBe(1);
    await replays(job, bench.history);
  });

  it("goes on from its last result where no step failed, which helps after a fix", async () => {
    let mended = false;
    const job = jobOf(async (_, { shop }) => {
      const taken = await shop.take({ id: "a" });
      if (!mended) throw new TypeError("a bug");
      return taken;
    });
    const bench = benchOf(job);
    expect(await bench.run({ n: 1 }).catch(said)).toBe("a bug");
    mended = true;
    await bench.steer("retry");
    expect(await bench.end()).toBe("took a");
    expect(bench.calls).toHaveLength(1);
  });

  it("gets a signal again that it had taken after the step that failed", async () => {
    let shut = true;
    const job = jobOf(async (_, { run }) => {
      const pay = run.step("pay", () => (shut ? Promise.reject(new Error("shut")) : "paid"), { attempts: 1 });
      const [paid, { id }] = await run.all([pay, run.signal.yes]);
      return `${paid}, ${id}`;
    });
    const bench = benchOf(job);
    expect(await bench.run({ n: 1 }).catch(said)).toBe("shut");
    shut = false;
    await bench.steer("retry");
    await bench.signal("yes", { id: "x" });
    expect(await bench.end()).toBe("paid, x");
    await replays(job, bench.history);
  });

  it("is refused where the run ended well", async () => {
    const bench = benchOf(shopping(() => false));
    await bench.run({ n: 1 });
    await expect(bench.steer("retry")).rejects.toThrow("come to its end well");
  });

  it("that has continued as new does nothing again that an earlier retry has mended", async () => {
    let shut = true;
    let broken = true;
    let paid = 0;
    const job = jobOf(async ({ n }, { run }) => {
      if (n < 3) throw run.continueAsNew({ n: n + 1 });
      const pay = () => (shut ? Promise.reject(new Error("shut")) : ++paid);
      const times = await run.step("pay", pay, { attempts: 1 });
      if (broken) throw new Error("shut");
      return times;
    });
    const bench = benchOf(job);
    expect(await bench.run({ n: 1 }).catch(said)).toBe("shut");
    shut = false;
    await bench.steer("retry");
    expect(await bench.end().catch(said)).toBe("shut");
    broken = false;
    await bench.steer("retry");
    expect(await bench.end()).toBe(1);
    await replays(job, bench.history);
  });

  it("is refused where something was undone, and while it is under way", async () => {
    const bench = benchOf(patient);
    await bench.begin({ n: 1 });
    await expect(bench.steer("retry")).rejects.toThrow("only a run that has ended can be retried");
    await bench.steer("cancel");
    await bench.end().catch(said);
    await expect(bench.steer("retry")).rejects.toThrow("was undone");
  });

  it("goes on where it was terminated", async () => {
    const bench = benchOf(patient);
    await bench.begin({ n: 1 });
    await bench.steer("terminate");
    expect(await bench.end().catch(said)).toBe("Terminated");
    await bench.steer("retry");
    await bench.signal("yes", { id: "x" });
    expect(await bench.end()).toBe("yes from x");
    expect(bench.calls).toHaveLength(2);
    await replays(patient, bench.history);
  });
});

describe("a fork", () => {
  const order = jobOf(async ({ n }, { shop, run }) => {
    const id = run.uuid();
    const first = await shop.take({ id: `a${n}` }).undo(() => shop.giveBack({ id: `a${n}` }));
    const second = await shop.take({ id: `b${n}` }).undo(() => shop.giveBack({ id: `b${n}` }));
    const later = run.uuid();
    if (n === 13) throw new Error("unlucky");
    return { first, second, id, later };
  });

  it("takes the results of the steps before it, and does the rest with its own input and its own keys", async () => {
    const bench = benchOf(order);
    const first = (await bench.run({ n: 1 })) as { readonly id: string; readonly later: string };
    const run = await bench.fork({ step: "shop.take#2", input: { n: 2 } });
    await bench.pass("1 second");
    const end = bench.entriesOf(run).at(-1);
    expect(end).toMatchObject({ type: "Ended", state: "done" });
    const output = (end as { readonly output: typeof first }).output;
    expect(output).toMatchObject({ first: "took a1", second: "took b2", id: first.id });
    expect(output.later).not.toBe(first.later);
    expect(toldBy(bench, "").calls).toEqual(["shop.take a1", "shop.take b1", "shop.take b2"]);
    expect(bench.calls.at(-1)?.key).toContain(run);
    expect(bench.entriesOf(run)[0]).toMatchObject({ input: { n: 2 }, forked: { run: bench.row?.run, copied: 2 } });
    await replays(order, { run, workflow: "jobs.go@1", entries: bench.entriesOf(run) });
  });

  it("tells what it does again: what took effect or may have, undone since or not, and not what never happened", async () => {
    const bench = benchOf(order);
    await bench.run({ n: 13 }).catch(said);
    const again = (step?: string) => {
      const copy = toCopy("r", bench.entries, step);
      return "refused" in copy ? copy.refused : copy.again;
    };
    expect(toldBy(bench, "").calls.slice(2)).toEqual(["shop.giveBack b13", "shop.giveBack a13"]);
    expect(again()).toEqual(["shop.take"]);
    expect(again("shop.take")).toEqual(["shop.take"]);

    const refused = benchOf(
      jobOf(async (_, { run }) => {
        await run.step("look", () => "seen");
        await run.signal.yes;
        return "said";
      }),
    );
    await refused.begin({ n: 1 });
    const copyOf = (step: string) => toCopy("r", refused.entries, step);
    expect(copyOf("look")).toMatchObject({ again: ["look"] });
    expect(copyOf("signal yes")).toMatchObject({ again: [] });
  });

  it("leaves the undo of what it copied to the other run", async () => {
    const bench = benchOf(order);
    await bench.run({ n: 1 });
    const run = await bench.fork({ step: "shop.take#2", input: { n: 13 } });
    await bench.pass("1 second");
    expect(bench.entriesOf(run).at(-1)).toMatchObject({ type: "Ended", state: "failed" });
    expect(toldBy(bench, "").calls.slice(2)).toEqual(["shop.take b13", "shop.giveBack b13"]);
  });

  it("from the start does everything anew, with the same input unless told", async () => {
    const bench = benchOf(order);
    await bench.run({ n: 1 });
    const run = await bench.fork();
    await bench.pass("1 second");
    expect(bench.entriesOf(run).at(-1)).toMatchObject({ state: "done", output: { first: "took a1" } });
    expect(bench.calls).toHaveLength(4);
    expect(await bench.fork()).toBe(run);
    expect(bench.rows).toHaveLength(2);
  });

  it("of a run that has continued as new and was retried copies nothing that the retry took back", async () => {
    let shut = true;
    const job = jobOf(async ({ n }, { shop, run }) => {
      if (n < 3) throw run.continueAsNew({ n: n + 1 });
      const paid = await run.step("pay", () => (shut ? Promise.reject(new Error("shut")) : "paid"), { attempts: 1 });
      return [paid, await shop.take({ id: "a" })];
    });
    const bench = benchOf(job);
    expect(await bench.run({ n: 1 }).catch(said)).toBe("shut");
    shut = false;
    await bench.steer("retry");
    expect(await bench.end()).toEqual(["paid", "took a"]);
    const run = await bench.fork({ step: "shop.take" });
    await bench.pass("1 second");
    expect(bench.entriesOf(run).at(-1)).toMatchObject({ state: "done", output: ["paid", "took a"] });
    const copied = bench.entriesOf(run).filter((entry) => "path" in entry && entry.path === "pay");
    expect(copied.map(({ type }) => type)).toEqual(["StepStarted", "StepDone"]);
  });

  it("is one for each key, and refuses a key that comes with another step or input", async () => {
    const bench = benchOf(order);
    await bench.run({ n: 1 });
    const run = await bench.fork({ step: "shop.take#2", input: { n: 2 }, key: "k" });
    expect(await bench.fork({ step: "shop.take#2", input: { n: 2 }, key: "k" })).toBe(run);
    for (const other of [{ step: "shop.take", input: { n: 2 } }, { step: "shop.take#2" }, { input: { n: 2 } }])
      await expect(bench.fork({ ...other, key: "k" })).rejects.toMatchObject({ code: "KeyReused" });
    expect(bench.rows).toHaveLength(2);
  });

  it("with a key is the same one though the run has continued as new since", async () => {
    const job = jobOf(async ({ n }, { run }) => {
      await run.signal.yes;
      if (n < 3) throw run.continueAsNew({ n: n + 1 });
    });
    const bench = benchOf(job);
    await bench.begin({ n: 1 });
    const run = await bench.fork();
    await bench.signal("yes", { id: "x" });
    expect(await bench.fork()).toBe(run);
    await expect(bench.fork({ input: { n: 2 } })).rejects.toMatchObject({ code: "KeyReused" });
  });

  it("is refused where nothing can build on what was undone, where there is no such step, and with a wrong input", async () => {
    const bench = benchOf(order);
    await bench.run({ n: 13 }).catch(said);
    await expect(bench.fork({ step: "shop.take#2" })).rejects.toThrow('"shop.take" was undone');
    await expect(bench.fork({ step: "shop.sell" })).rejects.toThrow(
      'has no step "shop.sell". Its steps are: "shop.take"',
    );
    await expect(bench.fork({ input: { n: "one" } })).rejects.toThrow("no input of jobs.go");
    expect(await bench.fork({ step: "shop.take", input: { n: 3 } })).toBeTypeOf("string");
  });

  it("ends the same whichever commit a node dies at", async () => {
    await everywhere(
      async (options) => {
        const bench = benchOf(order, options);
        const end = await bench.run({ n: 1 }).catch(said);
        const run = await bench.fork({ step: "shop.take#2", input: { n: 2 } });
        await bench.pass("2 minutes");
        const [last] = bench.entriesOf(run).slice(-1);
        await replays(order, { run, workflow: "jobs.go@1", entries: bench.entriesOf(run) });
        const { first, second, id } = (last as unknown as { readonly output: Record<string, unknown> }).output;
        return {
          bench,
          told: {
            ...toldBy(bench, ""),
            end: [(end as { readonly first: string }).first, first, second, id === (end as { readonly id: string }).id],
          },
        };
      },
      (told, undisturbed, where) => expect(told, where).toEqual(undisturbed),
    );
  });
});
