/**
 * The page: what stands where, how long it may be, and that nothing in it acts.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { printable, removeUnseen } from "../../../lib/base/text.ts";
import type { EvidenceBundle } from "../../../lib/incident.ts";
import { PAGE_BYTES_MAX } from "../../../lib/message/page/page.ts";
import { CSS, scopeCss } from "../../../lib/message/page/style.ts";
import { type Element, elementsOf, errorsOf } from "./html.ts";
import { FULL, hostile, pageOf, PAYLOADS, TEXTS } from "../../support/page.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text).length;

function all(elements: readonly Element[], name: string): string[] {
  return elements.filter((one) => one.name === name).map(({ text }) => text);
}

Deno.test("renderPage() has its headings in order, and one of the first rank", () => {
  const elements = elementsOf(pageOf(FULL, { texts: TEXTS }));
  assertEquals(all(elements, "h1").length, 1);
  assertEquals(all(elements, "h2"), [
    "What happened",
    "What changed before it began",
    "Seen before",
    "Next",
    "Course",
    "Timeline, in UTC",
    "Facts",
    "What is missing",
    "What was looked up",
    "Evidence",
    "What redaction removed",
  ]);
  assertEquals(all(elements, "html").length, 1);
});

Deno.test("renderPage() quotes and marks the line that a claim rests on", () => {
  const elements = elementsOf(pageOf(FULL, { texts: TEXTS }));
  const marks = all(elements, "mark").map((text) => text.trim());
  assert(
    marks.includes('"summary": "4210 mails wait, the limit is 1000."'),
    marks.join("\n"),
  );
  const claims = elements.filter(({ name, text }) =>
    name === "li" && text.includes("What E1 says")
  );
  assert(claims.length > 0);
  // A citation leads to the piece on this page.
  const ids = elements.flatMap(({ attributes }) => attributes.get("id") ?? []);
  assertEquals(ids, ["E1", "E2", "E3", "E4", "E5"]);
  for (const { attributes } of elements) {
    const href = attributes.get("href") ?? "";
    if (href.startsWith("#")) assert(ids.includes(href.slice(1)), href);
  }
});

Deno.test("renderPage() shows the beginning of each piece, or why there is none", () => {
  const articles = all(
    elementsOf(pageOf(FULL, { texts: TEXTS })),
    "article",
  );
  assertStringIncludes(articles[0]!, "All of it");
  assertStringIncludes(articles[0]!, '"receiver": "ops"');
  assertStringIncludes(articles[1]!, '\n    "ref": "v7.1",\n');
  assertStringIncludes(
    articles[2]!,
    "Could not be read: the gateway did not give it.",
  );
  assertStringIncludes(articles[3]!, "How it begins");
  assertStringIncludes(articles[3]!, "Cut here; the artifact has the rest.");
  assertStringIncludes(articles[4]!, "Not read for this page");
  for (const article of articles) {
    assertStringIncludes(article, "redis://art:E");
    assertStringIncludes(article, "ab".repeat(32));
  }
});

Deno.test("renderPage() tells the look-ups by how they ended, and every gap", () => {
  const elements = elementsOf(pageOf(FULL, { texts: TEXTS }));
  assertEquals(
    all(elements, "h3").filter((text) => !/^E\d/.test(text)),
    [
      "Asked and found",
      "Asked, and there is nothing",
      "Could not be asked",
      "Not asked: the incident names nothing to look up there",
      "Not set up",
    ],
  );
  const page = pageOf(FULL);
  assertStringIncludes(page, "“events: Kubernetes answered 403”");
  assertStringIncludes(page, "2 credentials removed");
  assertStringIncludes(page, "“raw.alerts[0].labels.token”");
});

Deno.test("renderPage() links only to allowed origins", () => {
  const links = (linkOrigins?: string[]) =>
    elementsOf(pageOf(FULL, linkOrigins ? { linkOrigins } : {}))
      .flatMap(({ attributes }) => attributes.get("href") ?? [])
      .filter((href) => !href.startsWith("#"));
  assertEquals(links(), []);
  assertEquals(links(["https://wiki.example"]), ["https://wiki.example/mail"]);
  assertStringIncludes(
    pageOf(FULL, { linkOrigins: ["https://wiki.example"] }),
    "Graph: <code>https://elsewhere.example/graph</code>",
  );
  assertStringIncludes(
    pageOf(FULL),
    "Incident: <code>https://am.example/#/alerts</code>",
  );
});

Deno.test("renderPage() shows no text of the evidence at level full", () => {
  const page = pageOf(FULL, { texts: TEXTS, level: "full" });
  assert(!page.includes("<pre") && !page.includes("What E1 says"));
  assert(!page.includes("labels.token"));
  assertStringIncludes(page, "Not shown: policy's redaction level is full.");
});

Deno.test("renderPage() redacts what it shows of the evidence", () => {
  const key = `AKIA${"Q7ZXC2VBN4MASDFG"}`;
  const texts = [
    { id: "E1", text: `{"summary": "4210 mails wait", "note": "key ${key}"}` },
    { id: "E4", text: "x".repeat(4090) + ` ${key} and more` },
  ];
  const page = pageOf(FULL, { texts });
  assert(!page.includes(key) && !page.includes(key.slice(0, 6)), page);
  assertStringIncludes(page, "[secret:aws-key#1]");
});

const NAMES = new Set([
  ...["html", "head", "meta", "title", "style", "body", "main", "header"],
  ...["h1", "h2", "h3", "p", "ul", "ol", "li", "a", "code", "span", "section"],
  ...["details", "summary", "pre", "mark", "article", "footer", "time", "br"],
  ...["div", "table", "tbody", "tr", "th", "td", "b", "figure", "figcaption"],
  ...["svg", "line", "text", "polyline", "circle"],
]);
const ATTRIBUTES = new Set([
  ...["lang", "charset", "http-equiv", "content", "name", "class", "href"],
  ...["rel", "id", "datetime", "scope", "viewbox", "viewBox", "role"],
  ...["aria-label", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r"],
  ...["points", "text-anchor"],
]);

for (const payload of [...PAYLOADS, PAYLOADS.join(" ")]) {
  Deno.test(`renderPage() is inert whatever stands in it: ${printable(payload, 50)}`, () => {
    const { bundle, texts, report } = hostile(payload);
    const page = pageOf(bundle, {
      texts,
      report,
      linkOrigins: ["https://wiki.example"],
    });
    assertEquals(errorsOf(page), []);
    assert(page.isWellFormed());
    // Lines end, and nothing else is there that cannot be seen.
    assertEquals(removeUnseen(page), page);
    const elements = elementsOf(page);
    for (const { name, attributes } of elements) {
      assert(NAMES.has(name), name);
      for (const [key, value] of attributes) {
        assert(ATTRIBUTES.has(key), key);
        if (key === "href") assert(/^(?:#E\d+$|https:\/\/wiki)/.test(value));
        if (key === "id") assert(/^E\d+$/.test(value), value);
        if (key === "class") assert(/^[a-z]+$/.test(value), value);
      }
    }
    const metas = elements.filter(({ name }) => name === "meta")
      .map(({ attributes }) => attributes.get("content"));
    assertEquals(metas.length, 4);
    assertEquals(metas[1], "default-src 'none'; style-src 'unsafe-inline'");
    assertEquals(all(elements, "style"), [CSS]);
  });
}

Deno.test("renderPage() has at most 512 KiB, and says what it left out", () => {
  const long = "<&\u202e".repeat(400);
  const bundle: EvidenceBundle = {
    ...FULL,
    evidence: Array.from({ length: 50 }, (_, at) => ({
      ...FULL.evidence[0]!,
      id: `E${at + 1}`,
      title: long.slice(0, 300),
    })),
    normalized_context: {
      ...FULL.normalized_context,
      description: long,
      facts: Array.from({ length: 100 }, (_, at) => ({
        name: `n${at}${long}`.slice(0, 100),
        value: long.slice(0, 1000),
        evidence: ["E1"],
      })),
      timeline: Array.from({ length: 100 }, () => ({
        at: "2026-02-03T03:58:00.000Z",
        text: long.slice(0, 500),
        evidence: ["E2"],
      })),
    },
    gaps: Array.from({ length: 50 }, () => ({
      what: long.slice(0, 200),
      why: long.slice(0, 500),
    })),
  };
  const texts = bundle.evidence.map(({ id }) => ({
    id: id!,
    text: long.repeat(200),
  }));
  const page = pageOf(bundle, { texts });
  assert(bytesOf(page) <= PAGE_BYTES_MAX, `${bytesOf(page)}`);
  assertStringIncludes(page, "because the page may have 512 KiB");
  assertEquals(errorsOf(page), []);
  const fits = pageOf(FULL, { texts: TEXTS });
  assert(!fits.includes("512 KiB"));
});

Deno.test("renderPage() gives the same bytes every time", () => {
  const pages = Array.from(
    { length: 100 },
    () => pageOf(structuredClone(FULL), { texts: TEXTS }),
  );
  assertEquals(new Set(pages).size, 1);
});

Deno.test("renderPage() makes a page of a bundle that holds nothing", () => {
  const page = pageOf({
    incident_id: "mock:1",
    collected_at: "never",
    evidence: [],
  }, { report: { claims: [] } });
  assertEquals(errorsOf(page), []);
  const elements = elementsOf(page);
  assertEquals(all(elements, "h2"), []);
  assertEquals(all(elements, "h1").length, 1);
});

/** @see https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(one: string, other: string): number {
  const [a, b] = [one, other].map((hex) => {
    const full = hex.length === 4 ? hex.replace(/[^#]/g, "$&$&") : hex;
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
      const share = parseInt(full.slice(at, at + 2), 16) / 255;
      return share <= 0.04045
        ? share / 12.92
        : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }).toSorted((a, b) => b - a);
  return (a! + 0.05) / (b! + 0.05);
}

Deno.test("the page's colours can be read in light and dark", () => {
  const [, light = "", dark = ""] =
    /:root \{([^}]*)\}[^]*?:root \{([^}]*)\}/.exec(CSS) ?? [];
  for (const scheme of [light, dark]) {
    const color = (name: string) =>
      RegExp(`--${name}: (#[0-9a-f]{3,6})`).exec(scheme)![1]!;
    for (
      const [text, behind] of [
        ...["ink", "faint", "link"].flatMap((text) =>
          ["card", "page", "code"].map((behind) => [text, behind])
        ),
        ["ink", "mark"],
        ...["critical", "error", "warning", "info", "limit"]
          .map((text) => [text, "card"]),
      ]
    ) {
      const ratio = contrast(color(text!), color(behind!));
      assert(ratio >= 4.5, `${text} on ${behind}: ${ratio.toFixed(2)}`);
    }
  }
});

Deno.test("scopeCss() keeps rules below one element", () => {
  const css = scopeCss(
    ":root { --a: 1 }\nbody, h1 > b { x: y }\n@media (a) { p { z: 1 } }",
    ".p",
  );
  assertEquals(
    css.replace(/\s*([{}])\s*/g, "$1"),
    ".p{--a: 1}.p, .p h1 > b{x: y}@media (a){.p p{z: 1}}",
  );
});
