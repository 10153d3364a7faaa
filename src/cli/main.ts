#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
// Nothing is imported before the version is known: an older Node would end with a stack that says little.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18) || major === 23) {
  console.error(`Trilith needs Node 22.18 or newer, or 24 and up; this is ${process.versions.node}.`);
  process.exit(1);
}
const [command, ...rest] = process.argv.slice(2);
if (command === "check") {
  // By itself: a check is asked for often, and needs nothing of what a backend does.
  const { checkCommand } = await import("./check-command.ts");
  process.exitCode = await checkCommand(rest); // and no exit, so that what was written to a pipe arrives
} else if (command === "runs") {
  const { runsCommand } = await import("./runs-command.ts");
  process.exitCode = await runsCommand(rest, process.env);
} else {
  const { run } = await import("./program.ts");
  await run(process.argv.slice(2));
}
