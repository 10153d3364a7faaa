import { type AddressInfo, connect, createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "./clock.ts";

const dayMs = 86_400_000;

describe("the machine's clock", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("wakes once, when the time has come and not before", () => {
    const wake = vi.fn();
    systemClock.after(250, wake);
    vi.advanceTimersByTime(249);
    expect(wake).not.toHaveBeenCalled();
    vi.advanceTimersByTime(10_000);
    expect(wake).toHaveBeenCalledOnce();
  });

  it.each([25, 30, 60, 400])("waits for %i days, which is longer than a timer can", (days) => {
    const wake = vi.fn();
    systemClock.after(days * dayMs, wake);
    vi.advanceTimersByTime(days * dayMs - 1);
    expect(wake).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    vi.advanceTimersByTime(1); // the turn of what has come in meanwhile
    expect(wake).toHaveBeenCalledOnce();
  });

  it("lets a wait be taken back, in any of its parts", () => {
    const wake = vi.fn();
    const first = systemClock.after(60 * dayMs, wake);
    const second = systemClock.after(60 * dayMs, wake);
    first();
    vi.advanceTimersByTime(30 * dayMs);
    second();
    vi.advanceTimersByTime(400 * dayMs);
    expect(wake).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("lets a wait be taken back while what has come in is being read", () => {
    const wake = vi.fn();
    const cancel = systemClock.after(5, wake);
    setTimeout(cancel, 5);
    vi.advanceTimersByTime(10);
    expect(wake).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("wakes as soon as it can for a time that has passed", () => {
    const wake = vi.fn();
    systemClock.after(-5, wake);
    expect(wake).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(wake).toHaveBeenCalledOnce();
  });

  it("tells the time for writing down in ms since 1970, and one for deadlines that no clock change moves", () => {
    vi.setSystemTime(new Date("2001-01-01T00:00:00Z"));
    const before = systemClock.monotonic();
    expect(systemClock.now()).toBe(Date.UTC(2001, 0, 1));
    vi.setSystemTime(new Date("2000-01-01T00:00:00Z"));
    expect(systemClock.now()).toBe(Date.UTC(2000, 0, 1));
    expect(systemClock.monotonic()).toBe(before);
  });
});

it("what has come in while the process was busy is seen before the time is called over", async () => {
  const said: string[] = [];
  const server = createServer((socket) => socket.on("data", () => said.push("an answer")));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.write("first");
  await vi.waitFor(() => expect(said).toHaveLength(1));
  await new Promise(setImmediate); // to the end of a turn, so that timers come next
  const over = new Promise<void>((resolve) => systemClock.after(5, resolve)).then(() => said.push("the end"));
  // On this machine's own network what is written is there at once; the process only has no time to look.
  socket.write("second");
  const until = performance.now() + 20;
  while (performance.now() < until);
  await over;
  expect(said).toEqual(["an answer", "an answer", "the end"]);
  socket.destroy();
  server.close();
});
