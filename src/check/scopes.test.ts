import { describe, expect, it } from "vitest";
import { parse } from "./source-file.ts";
import { type Node, walk } from "./syntax.ts";

/** For every `x` that is used in some code: whether it is the global. Keys, labels and types are no uses. */
function globals(code: string): readonly boolean[] {
  const file = parse("a.ts", code);
  expect(file.syntaxError).toBeUndefined();
  const uses: boolean[] = [];
  walk(file.tree(), (node: Node) => {
    if (node.type !== "Identifier" || node.name !== "x") return;
    const { isGlobal, bindingOf } = file.scopes();
    if (isGlobal(node) || (bindingOf(node) && !isDeclared(bindingOf(node)?.node, node))) uses.push(isGlobal(node));
  });
  return uses;
}
const isDeclared = (declaration: Node | undefined, node: Node): boolean => declaration?.id === node;

describe("an identifier is", () => {
  it.each([
    ["x;"],
    ["function f() { return x; }"],
    ["{ const x = 1; } x;"],
    ["for (const x of []) {} x;"],
    ["try {} catch (x) {} x;"],
    ["const f = function x() {}; x;"],
    ["class A { x = 1; m() { return x; } }"],
    ["const o = { x: 1 }; o.x; x;"],
    ["x: for (;;) { x; break x; }"],
    ["type x = string; const y: x = x;"],
    ["const { x: y } = x;"],
    ["const o = { [x]: 1 };"],
    ["const y = x as any;"],
    ["switch (x) { case 1: }"],
  ])("the global in %s", (code) => expect(globals(code).filter(Boolean)).toHaveLength(1));

  it.each([
    ["x; var x = 1;"],
    ["f(); function f() { return x; } let x;"],
    ["function f(x) { return x; }"],
    ["const f = ({ x }) => x;"],
    ["const f = ({ a: [x] }) => x;"],
    ["const f = (...x) => x;"],
    ["const f = (x = 1) => x;"],
    ["const f = (a, b = x, x) => a;"],
    ["function f() { if (true) { var x = 1; } return x; }"],
    ["x(); function x() {}"],
    ["class x {} new x();"],
    ["(function x() { return x; })();"],
    ["(class x { m() { return x; } });"],
    ["for (let x = 0; x < 1; x++) x;"],
    ["for (const x in {}) x;"],
    ["try {} catch ({ x }) { x; }"],
    ["switch (1) { case 1: let x; default: x; }"],
    ['import x from "x"; x;'],
    ['import { y as x } from "x"; x;'],
    ['import * as x from "x"; x;'],
    ["enum x { A } x.A;"],
    ["export const x = 1; x;"],
    ["class A { static { const x = 1; x; } }"],
  ])("declared in %s", (code) => {
    expect(globals(code)).not.toEqual([]);
    expect(globals(code)).not.toContain(true);
  });
});
