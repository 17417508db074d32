import { assertEquals } from "@std/assert";
import { startRedaction } from "../../lib/redact/redaction.ts";

const strict = (text: string) => startRedaction({ level: "strict" }).text(text);

Deno.test("at strict, who and where somebody is goes", () => {
  const rows: [given: string, left: string][] = [
    ["mail <ada.l+x@mail.example.co.uk>", "mail <[secret:email#1]>"],
    ["?to=ada%40example.com&a=1", "?to=[secret:email#1]&a=1"],
    [
      "client 203.0.113.7:8080 refused",
      "client [secret:ip-address#1]:8080 refused",
    ],
    ["peer [2001:db8::8a2e]:443", "peer [[secret:ip-address#1]]:443"],
    ["call +49 30 901820", "call [secret:phone#1]"],
    ["call (212) 555-0143", "call [secret:phone#1]"],
    ["account 123456789012", "account [secret:account#1]"],
    ["user=ada.lovelace", "user=[secret:user#1]"],
    [
      "Failed password for invalid user ada from 10.0.0.7 port 22",
      "Failed password for invalid user [secret:user#1] from [secret:ip-address#1] port 22",
    ],
    [
      "user ada from 10.0.0.7",
      "user [secret:user#1] from [secret:ip-address#1]",
    ],
  ];
  for (const [given, left] of rows) {
    assertEquals(strict(given), left);
    assertEquals(startRedaction().text(given), given, "at standard it stays");
  }
});

Deno.test("at strict, what only looks like somebody stays", () => {
  const texts = `
version 1.2.3.4
Version=4.0.0.0, Culture=neutral
openssl 1.1.1.1
image shop:1.2.3.4
build 10.0.19045.3803
v1.2.3.4-rc1
kernel 5.15.0.1
build-2026.11.29.4
nginx/1.25.3
1.2.3.4.5
256.1.1.1
10:42:07
00:1A:2B:3C:4D:5E
2026-11-29T10:42:07Z
20261129104207
ticket 123456789
std::vector
Foo::Bar::baz
user agent: curl
user is unknown
account locked
tenant-42
phone home
lodash@4.17.21
@types/node
git@github.com:shop/checkout
shop@sha256:9f86d081884c7d65
password reset for users from next week
uid: 3b1f8a52-7c4e-4d19-9a60-5e2d7f81c0b4`.trim().split("\n");
  for (const text of texts) assertEquals(strict(text), text);
});
