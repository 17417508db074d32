/**
 * A message shown without being sent: as text, as a picture, as JSON.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import type { IncidentInput } from "../../lib/incident.ts";
import { encodeMessage } from "../../lib/message/render.ts";
import { main, previewMessage } from "../../scripts/preview.ts";
import sample from "../../deploy/samples/sample_incident.json" with {
  type: "json",
};
import { assertSlackTakes } from "../support/block_kit.ts";
import { call } from "../support/command.ts";
import { runTask } from "../support/task.ts";

const SAMPLE = "deploy/samples/sample_incident.json";
const NO_LINKS = { linkOrigins: undefined, dashboardRunUrl: undefined };

Deno.test("previewMessage() gives what Slack takes, the same for the same incident", async () => {
  const incident = sample as IncidentInput;
  const settings = {
    linkOrigins: ["https://incidents.example.com"],
    dashboardRunUrl: "https://dashboard.example.com",
  };
  const { message, digest } = await previewMessage(incident, settings);
  assertSlackTakes(message);
  assertMatch(digest, /^[0-9a-f]{64}$/);
  const again = await previewMessage(incident, settings);
  assertEquals(encodeMessage(again.message), encodeMessage(message));
  const bare = await previewMessage(incident, NO_LINKS);
  assert(!JSON.stringify(bare.message).includes('"actions"'));
  const nasty = `"><script>alert(1)</script>'&amp; <!channel>`;
  const odd = await previewMessage({
    ...incident,
    title: nasty,
    raw: { description: nasty, timeline: [{ at: "1", text: nasty }] },
  }, NO_LINKS);
  assertSlackTakes(odd.message);
});

Deno.test("deno task preview shows text, a picture and the payload", async (t) => {
  const env = {
    LINK_ORIGINS: "https://incidents.example.com",
    DASHBOARD_RUN_URL: "https://dashboard.example.com/runs",
  };
  await t.step("text, with the digest", async () => {
    const { code, stdout, stderr } = await call(main, [SAMPLE], { env });
    assertEquals([code, stderr], [0, ""]);
    for (
      const line of [
        "│ \u{1F534} CRITICAL · checkout-api: Checkout latency above 2 s",
        "│ What we know",
        "│ • 09:24:10 Deployed checkout-api 2026.3.1 [E1]",
        "│ [Open the incident] https://incidents.example.com/INC-1042",
        "│ [Open the run] https://dashboard.example.com/runs/preview",
        "│ [E1] Payload as received · [E2] Incident in plain fields",
      ]
    ) assert(stdout.split("\n").includes(line), `${line}\n${stdout}`);
    assertMatch(stdout, /\nMessage sha256 [0-9a-f]{64}; nothing was sent\n$/);
  });
  await t.step("the payload, byte for byte what would be posted", async () => {
    const { code, stdout } = await call(main, [SAMPLE, "--json"], { env });
    assertEquals(code, 0);
    const payload = JSON.parse(stdout);
    assertEquals(Object.keys(payload), ["text", "blocks"]);
    assertSlackTakes(payload);
  });
  await t.step("a picture", async () => {
    const path = await Deno.makeTempFile({ dir: "/tmp", suffix: ".html" });
    try {
      const args = [SAMPLE, "--html", path];
      const { code, stdout } = await runTask("preview", args, env);
      assertEquals([code, stdout], [0, `${path} written; nothing was sent\n`]);
      const html = await Deno.readTextFile(path);
      assertStringIncludes(html, "CRITICAL · checkout-api: Checkout latency");
      assertStringIncludes(
        html,
        '<a href="https://incidents.example.com/INC-1042" rel="noreferrer">Open the incident</a>',
      );
    } finally {
      await Deno.remove(path);
    }
  });
});

const REFUSED: [args: string[], code: number, error: string][] = [
  [[], 2, "error: Name one file; see --help"],
  [[SAMPLE, "x"], 2, "error: Unexpected argument 'x'; see --help"],
  [
    ["nowhere.json"],
    1,
    "error: Cannot preview nowhere.json: there is no such file",
  ],
  [["README.md"], 1, "error: Cannot preview README.md: it is not JSON"],
  [
    ["deploy/samples/sample_webhook.json"],
    1,
    "error: Cannot preview deploy/samples/sample_webhook.json: it is not a valid incident, " +
    "/ must have required property 'incident_id'",
  ],
  [
    [SAMPLE, "--html", "/etc/preview.html"],
    1,
    "error: Cannot write /etc/preview.html: it may write below dist/ and /tmp only",
  ],
];
for (const [args, code, error] of REFUSED) {
  Deno.test(`deno task preview ${args.join(" ")} says what is wrong`, async () => {
    const run = await call(main, args);
    assertEquals([run.code, run.stdout, run.stderr.trim()], [code, "", error]);
  });
}

Deno.test("deno task preview says which setting is wrong", async () => {
  const { code, stderr } = await call(main, [SAMPLE], {
    env: { LINK_ORIGINS: "incidents.example.com" },
  });
  assertEquals([code, stderr.trim()], [
    2,
    "error: LINK_ORIGINS must be origins such as https://wiki.example.com",
  ]);
});
