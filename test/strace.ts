import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

/** Why system calls cannot be watched here, where that is so. */
export const withoutStrace: string | undefined =
  process.platform !== "linux"
    ? "strace is for Linux."
    : spawnSync("strace", ["-qq", "-f", "-o", "/dev/null", "-e", "trace=fsync", "true"]).status === 0
      ? undefined
      : "strace is not installed, or may not trace here.";

/**
 * Runs a program, with what strace is told by `options`, and gives its lines. A program that is killed by
 * what is injected ends without a word.
 */
export async function straced(
  program: string,
  args: readonly string[],
  options: readonly string[],
): Promise<readonly string[]> {
  const node = [process.execPath, "--conditions=trilith-source", program, ...args];
  const child = spawn("strace", ["-qq", "-f", ...options, ...node], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await once(child, "close");
  return said.split("\n").slice(0, -1); // what came after the last line's end was cut off by a kill
}
