import { describe, expect, test } from "vitest";
import { isInner, toLookupOuter } from "./addresses.ts";

describe("an inner address", () => {
  test.each([
    "127.0.0.1",
    "127.255.0.9",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "[::1]",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "fc00::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::10.0.0.1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:0:169.254.169.254",
    "not an address",
  ])("%s is one", (address) => expect(isInner(address)).toBe(true));

  test.each([
    "1.1.1.1",
    "8.8.8.8",
    "172.32.0.1",
    "192.167.1.1",
    "100.128.0.1",
    "2606:4700:4700::1111",
    "2001:4860:4860::8888",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
  ])("%s is none", (address) => expect(isInner(address)).toBe(false));

  test.each([true, false])(
    "a name that leads to one is refused by the lookup that the connection uses (all: %s)",
    async (all) => {
      const error = await new Promise((resolve) =>
        toLookupOuter()("localhost", { all }, (refused) => resolve(refused)),
      );
      expect(error).toMatchObject({ name: "ForbiddenAddress" });
    },
  );
});
