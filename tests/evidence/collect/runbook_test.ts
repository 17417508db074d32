import { assert, assertEquals } from "@std/assert";
import { type ApiStandIn, startApi } from "../../../deploy/standins/api.ts";
import { runbook } from "../../../lib/evidence/collect/runbook.ts";
import type { IncidentInput } from "../../../lib/incident.ts";
import { collect, INCIDENT, testFaults } from "../../support/collecting.ts";

const TEXT = "# Checkout is slow\n\n1. Look at the pool.\n2. Drain it.\n";
const STEPS = [
  ["runbook, step 1", "Look at the pool."],
  ["runbook, step 2", "Drain it."],
];
const page = (text: string, type = "text/markdown; charset=utf-8") =>
  startApi({
    routes: {
      "/runbooks/:name": () =>
        new Response(text, { headers: { "Content-Type": type } }),
      "/": () => new Response("x", { headers: { "Content-Type": type } }),
    },
  });

/** An incident whose alerts name these runbooks. */
function naming(...links: string[]): IncidentInput {
  const [alert] = INCIDENT.raw!["alerts"] as Record<string, unknown>[];
  return {
    ...INCIDENT,
    raw: {
      alerts: links.map((runbook_url) => ({
        ...alert,
        annotations: { runbook_url },
      })),
    },
  };
}

function ask(api: ApiStandIn, ...links: string[]) {
  const env = { RUNBOOK_ORIGINS: api.url };
  return collect(runbook, { env, incident: naming(...links) });
}

Deno.test("runbook: its text is a piece, without a part of the address that is not asked for", async () => {
  await using api = page(TEXT);
  const found = await ask(api, `${api.url}/runbooks/slow.md?v=2#step-1`);
  assertEquals(
    found.pieces.map(({ kind, contentType, content }) => [
      kind,
      contentType,
      content,
    ]),
    [["runbook.text-1", "text/markdown", TEXT]],
  );
  assertEquals(
    found.facts.slice(1).map(({ name, value }) => [name, value]),
    STEPS,
  );
  assertEquals(api.asked, ["/runbooks/slow.md?v=2"]);
});

for (
  const link of [
    "https://evil.example/runbooks/slow.md",
    "https://wiki.example@evil.example/runbooks/slow.md",
    "javascript:alert(1)",
    "//evil.example/x",
    "file:///etc/passwd",
  ]
) {
  Deno.test(`runbook: ${link} is not asked for`, async () => {
    await using api = page(TEXT);
    const found = await ask(api, link);
    assertEquals(api.asked, []);
    assertEquals(found.lookups[0]!.state, "unconcerned");
  });
}

Deno.test("runbook: the catalogue's counts too, each once, at most two", async () => {
  await using api = page(TEXT);
  const env = { RUNBOOK_ORIGINS: api.url };
  const links = ["a", "a", "b"].map((name) => `${api.url}/runbooks/${name}`);
  const entry = {
    name: "checkout",
    match: { service: "checkout" },
    runbook: `${api.url}/runbooks/c`,
  };
  await collect(runbook, {
    env,
    incident: naming(...links),
    subject: { entry },
  });
  assertEquals(api.asked.toSorted(), ["/runbooks/a", "/runbooks/b"]);
  await collect(runbook, { env, subject: { entry } });
  assertEquals(api.asked.at(-1), "/runbooks/c");
});

Deno.test("runbook: a long one is cut at a whole character, and that is said", async () => {
  await using api = page("ä".repeat(50_000));
  const found = await ask(api, `${api.url}/runbooks/long`);
  const [piece] = found.pieces;
  assertEquals(new TextEncoder().encode(piece!.content).length, 64 * 1024);
  assert(!piece!.content.includes("\ufffd"));
  assertEquals(found.gaps.map(({ kind }) => kind), ["cut"]);
});

Deno.test("runbook: a page for browsers is no text", async () => {
  await using api = page("<html>", "text/html");
  const found = await ask(api, `${api.url}/runbooks/x`);
  assertEquals(found.gaps.map(({ why }) => why), [
    "The runbook's site answered with a page of HTML in place of text",
  ]);
});

Deno.test("runbook: without a link it is not concerned", async () => {
  const found = await collect(runbook, {
    env: { RUNBOOK_ORIGINS: "https://wiki.example" },
  });
  assertEquals(found.lookups, [{
    collector: "runbook",
    state: "unconcerned",
    why: "neither alert nor catalogue names a runbook",
  }]);
});

// Its address is part of the incident, so the port has to be known before.
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const { port } = listener.addr as Deno.NetAddr;
listener.close();
testFaults({
  collector: runbook,
  start: () =>
    startApi({
      port,
      routes: {
        "/runbooks/slow": () =>
          new Response(TEXT, { headers: { "Content-Type": "text/plain" } }),
      },
    }),
  env: (url) => ({ RUNBOOK_ORIGINS: url }),
  incident: naming(`http://127.0.0.1:${port}/runbooks/slow`),
});
