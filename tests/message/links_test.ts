import { assertEquals } from "@std/assert";
import {
  incidentLink,
  messageAddresses,
  messageLinks,
  runLink,
} from "../../lib/message/links.ts";
import type { LinkKind, NormalizedContext } from "../../lib/incident.ts";

const ORIGINS = ["https://wiki.example.com", "http://10.0.0.1:9093"];

const OPENED: [system: string, url: string, shown?: string][] = [
  ["pagerduty", "https://pagerduty.com/incidents/P1"],
  ["pagerduty", "https://acme.pagerduty.com/incidents/P1?a=b#c"],
  ["pagerduty", "https://acme.eu.pagerduty.com/incidents/P1"],
  [
    "pagerduty",
    "HTTPS://ACME.pagerduty.com:443/x y",
    "https://acme.pagerduty.com/x%20y",
  ],
  ["mock", "https://wiki.example.com/a"],
  ["unheard of", "https://wiki.example.com/a"],
  ["alertmanager", "http://10.0.0.1:9093/#/alerts"],
  [
    "mock",
    "https://wiki.example.com/?a=<b>|c",
    "https://wiki.example.com/?a=%3Cb%3E|c",
  ],
  ["mock", `https://wiki.example.com/${"x".repeat(1970)}`],
];
for (const [system, url, shown = url] of OPENED) {
  Deno.test(`incidentLink() opens ${url.slice(0, 60)} of ${system}`, () => {
    assertEquals(incidentLink({ system, url }, ORIGINS), {
      id: "incident",
      label: "Open the incident",
      url: shown,
    });
  });
}

const REFUSED: [system: string, url: string | undefined][] = [
  ["pagerduty", undefined],
  ["pagerduty", ""],
  ["pagerduty", "/incidents/P1"],
  ["pagerduty", "http://acme.pagerduty.com/incidents/P1"],
  ["pagerduty", "https://acme.pagerduty.com:8443/incidents/P1"],
  ["pagerduty", "https://evilpagerduty.com/"],
  ["pagerduty", "https://pagerduty.com.evil.example/"],
  ["pagerduty", "https://pagerduty.com./"],
  ["pagerduty", "https://pagerduty.com@evil.example/"],
  ["pagerduty", "https://user@acme.pagerduty.com/"],
  ["pagerduty", "https://:password@acme.pagerduty.com/"],
  ["pagerduty", "https://evil.example\\@acme.pagerduty.com/"],
  ["pagerduty", "https://evil.example/?https://acme.pagerduty.com"],
  ["pagerduty", "https://pagerdut\u0443.com/"],
  ["pagerduty", "javascript:alert(1)//acme.pagerduty.com"],
  ["pagerduty", "data:text/html,<script>"],
  // A source's domains are that source's own and nobody else's.
  ["mock", "https://acme.pagerduty.com/incidents/P1"],
  ["alertmanager", "https://acme.pagerduty.com/incidents/P1"],
  ["toString", "https://acme.pagerduty.com/incidents/P1"],
  ["__proto__", "https://acme.pagerduty.com/incidents/P1"],
  // An origin is scheme, host and port together.
  ["mock", "http://wiki.example.com/a"],
  ["mock", "https://wiki.example.com:8443/a"],
  ["mock", "https://sub.wiki.example.com/a"],
  ["mock", "https://wiki.example.com.evil.example/a"],
  ["mock", "http://10.0.0.1/a"],
  ["mock", `https://wiki.example.com/${"x".repeat(1980)}`],
];
for (const [system, url] of REFUSED) {
  Deno.test(`incidentLink() opens no ${url?.slice(0, 60)} of ${system}`, () => {
    const source = url === undefined ? { system } : { system, url };
    assertEquals(incidentLink(source, ORIGINS), undefined);
  });
}

Deno.test("incidentLink() opens nothing of an incident without a source", () => {
  assertEquals(incidentLink(undefined, ORIGINS), undefined);
});

const RUNS: [address: string | undefined, runId: string, url?: string][] = [
  ["https://a.example/runs", "r-1", "https://a.example/runs/r-1"],
  ["https://a.example/runs/", "r-1", "https://a.example/runs/r-1"],
  [
    "http://a.example:8082/#/r/{run_id}/x",
    "r",
    "http://a.example:8082/#/r/r/x",
  ],
  [
    "https://a.example/{run_id}",
    "a/../b?c",
    "https://a.example/a%2F..%2Fb%3Fc",
  ],
  ["https://a.example/{run_id}", "$&", "https://a.example/%24%26"],
  ["https://a.example/{run_id}", "\ud800", "https://a.example/%EF%BF%BD"],
  ["https://a.example/{run_id}", "x".repeat(3000)],
  ["https://user@a.example/{run_id}", "r-1"],
  ["ftp://a.example/{run_id}", "r-1"],
  ["https://a.example/{run_id}", ""],
  [undefined, "r-1"],
];
for (const [address, runId, url] of RUNS) {
  Deno.test(`runLink() opens ${url} for ${runId.slice(0, 9)} at ${address}`, () => {
    assertEquals(
      runLink(address, runId),
      url === undefined
        ? undefined
        : { id: "run" as const, label: "Open the run", url },
    );
  });
}

Deno.test("messageLinks() shows at most five buttons of allowed origins, one of each kind but for two runbooks", () => {
  const origin = "https://a.example";
  const of = (kind: LinkKind, name: string) => ({
    kind,
    url: `${origin}/${kind}/${name}`,
    of: name,
  });
  const context: NormalizedContext = {
    source: { system: "alertmanager", url: `${origin}/` },
    links: [
      { kind: "runbook", url: "https://elsewhere.example/x" },
      of("runbook", "disk"),
      of("dashboard", "db-1"),
      of("graph", "disk"),
      of("runbook", "cpu"),
      of("runbook", "mem"),
      of("dashboard", "db-2"),
      of("silence", "all"),
    ],
  };
  const place = { origins: [origin], run: undefined, number: undefined };
  assertEquals(
    messageLinks(context, place).map(({ label }) => label),
    ["Runbook: disk", "Runbook: cpu", "Dashboard db-1", "Graph", "Silence"],
  );
  assertEquals(messageAddresses(context, [origin]), [
    { label: "Runbook", url: "https://elsewhere.example/x" },
  ]);
  assertEquals(messageLinks(context, { ...place, origins: [] }), []);
});

Deno.test("messageLinks() opens the change that is told first, on an allowed origin alone", () => {
  const labels = (change: string | undefined) =>
    messageLinks({ source: { system: "alertmanager" } }, {
      origins: ["https://ci.example.com"],
      run: undefined,
      number: undefined,
      change,
    }).map(({ id, label, url }) => [id, label, url]);
  assertEquals(labels("https://ci.example.com/runs/7"), [
    ["change", "The change", "https://ci.example.com/runs/7"],
  ]);
  for (
    const url of [
      undefined,
      "https://ci.example.com.evil.example/runs/7",
      "https://ada@ci.example.com/",
      "javascript:alert(1)",
    ]
  ) assertEquals(labels(url), []);
});

Deno.test("messageAddresses() shows the worst alert's pages that no button opens", () => {
  const origin = "https://a.example";
  const elsewhere = (path: string) => `https://b.example/${path}`;
  const of = (...links: [LinkKind, string][]) =>
    messageAddresses({
      source: { system: "alertmanager", url: "https://alerts.example/" },
      links: links.map(([kind, url]) => ({ kind, url })),
    }, [origin]).map(({ label, url }) => `${label} ${url}`);
  assertEquals(of(), ["Alertmanager https://alerts.example/"]);
  // The first runbook has a button; the second one is another alert's.
  assertEquals(
    of(["runbook", `${origin}/1`], ["runbook", elsewhere("2")]),
    ["Alertmanager https://alerts.example/"],
  );
  assertEquals(
    of(
      ["graph", elsewhere("g")],
      ["runbook", elsewhere("x".repeat(160))],
      ["runbook", elsewhere("r|1")],
      ["dashboard", elsewhere("d")],
    ),
    ["Runbook https://b.example/r%7C1", "Dashboard https://b.example/d"],
  );
  assertEquals(of(["graph", "https://alerts.example/"]), [
    "Graph https://alerts.example/",
  ]);
  // A form to fill in is no page to read, and a name in an address is a trick.
  assertEquals(
    of(["silence", elsewhere("s")], ["logs", "https://a@b.example/"]),
    [
      "Alertmanager https://alerts.example/",
    ],
  );
});
