import { assertEquals } from "@std/assert";
import { hostWithPort, isLoopback } from "../../lib/base/address.ts";

const HOSTS: [hostname: string, own: boolean][] = [
  ["localhost", true],
  ["LOCALHOST", true],
  ["127.0.0.1", true],
  ["127.1.2.3", true],
  ["::1", true],
  [new URL("http://[::1]:8/").hostname, true],
  ["localhost.example.com", false],
  ["127.0.0.1.example.com", false],
  ["10.127.0.0.1", false],
  ["0.0.0.0", false],
  ["::", false],
  ["", false],
];

for (const [hostname, own] of HOSTS) {
  Deno.test(`isLoopback(${JSON.stringify(hostname)}) is ${own}`, () => {
    assertEquals(isLoopback(hostname), own);
  });
}

Deno.test("hostWithPort() always names the port", () => {
  const ports = ["https://a.example/x", "http://a.example", "http://[::1]:9/"]
    .map((url) => hostWithPort(new URL(url)));
  assertEquals(ports, ["a.example:443", "a.example:80", "[::1]:9"]);
});
