import { assertEquals } from "@std/assert";
import { labels } from "../../../lib/summary/rules/labels.ts";
import { alertsOf, group, textsOf } from "./support.ts";

const fact = (name: string, value: string) => ({
  name,
  value,
  evidence: ["E1"],
});
const FACTS = [
  fact("alerts", "1 firing, 0 resolved"),
  fact("runbook", "https://runbooks.example/1"),
  fact("namespace", "shop"),
  fact("pod", "cart-1"),
  fact("secret", "mail/relay-tls"),
  fact("link", "https://a.example/"),
  fact("cluster", "eu-1"),
];

Deno.test("labels tells where exactly alerts of one name are, but nothing twice", () => {
  const one = alertsOf([group({ where: ["cart-1"] })]);
  assertEquals(textsOf(labels, { ...one, facts: FACTS }), [
    "“namespace: shop, secret: mail/relay-tls”",
  ]);
});

Deno.test("labels tells nothing of several names, nor without labels", () => {
  const two = alertsOf([group(), group({ name: "Old" })]);
  assertEquals(textsOf(labels, { ...two, facts: FACTS }), []);
  assertEquals(textsOf(labels, alertsOf([group()])), []);
});

Deno.test("labels tells what was measured if the alert's sentence does not", () => {
  const told = (says: string) =>
    textsOf(labels, {
      ...alertsOf([group({ says })]),
      facts: [fact("values", "A=91.2, C=1")],
    });
  assertEquals(told("The disk of web-1 is almost full"), [
    "“values: A=91.2, C=1”",
  ]);
  assertEquals(told("The disk is 91.2 % full"), []);
});
