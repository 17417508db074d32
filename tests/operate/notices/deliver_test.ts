/**
 * Delivering notices to a Slack and a webhook that fail.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  type Behaviour,
  rateLimited,
  refusal,
  startSlack,
} from "../../../deploy/standins/slack.ts";
import { readConfig } from "../../../lib/base/config.ts";
import { openChannels } from "../../../lib/operate/notices/channels.ts";
import { deliver } from "../../../lib/operate/notices/deliver.ts";
import { NOTICE_SETTINGS } from "../../../lib/operate/notices/settings.ts";
import { readWebhookKey } from "../../../lib/operate/notices/signed_webhook.ts";
import { START_MS, waitingRow } from "../../support/notices.ts";

const { signal } = new AbortController();
const BODY = JSON.stringify({ text: "t" });

const ENDS: [
  name: string,
  behaviour: Behaviour,
  expected: Partial<Record<string, unknown>>,
][] = [
  ["ok", "slack", { delivered: true }],
  ["404", refusal("no_service"), {
    delivered: false,
    why: "status 404 (no_service)",
    hopeless: true,
    waitMs: 0,
  }],
  ["429", rateLimited("30"), {
    delivered: false,
    why: "status 429 (rate_limited)",
    hopeless: false,
    waitMs: 30_000,
  }],
  ["500 with a page", { status: 500, body: "<html>" }, {
    delivered: false,
    why: "status 500",
    hopeless: false,
    waitMs: 0,
  }],
  [
    "a redirect",
    { status: 302, headers: { Location: "http://127.0.0.1:1/" } },
    {
      delivered: false,
      why: "status 302",
      hopeless: true,
      waitMs: 0,
    },
  ],
  ["no answer", "never answer", {
    delivered: false,
    why: "no answer in time",
    hopeless: false,
    waitMs: 0,
  }],
];

for (const [name, behaviour, expected] of ENDS) {
  Deno.test(`deliver() tells of ${name}`, async () => {
    await using slack = await startSlack({ behaviour: () => behaviour });
    const options = { signal, timeoutMs: name === "no answer" ? 200 : 5_000 };
    assertEquals({ ...await deliver(slack.url, BODY, options) }, expected);
    assertEquals(slack.received.length, 1);
  });
}

Deno.test("deliver() tells of a host that is not there, and quotes no URL", async () => {
  const slack = await startSlack();
  await slack[Symbol.asyncDispose]();
  const url = `${slack.url}/s3cret`;
  const sent = await deliver(url, BODY, { signal });
  assert(!sent.delivered);
  assertEquals([sent.why, sent.hopeless], [
    "no connection (ECONNREFUSED)",
    false,
  ]);
});

Deno.test("the hook gets JSON whose signature its receiver can check, and Slack a message", async () => {
  const requests: { headers: Headers; body: string }[] = [];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      requests.push({ headers: request.headers, body: await request.text() });
      return new Response();
    },
  );
  await using slack = await startSlack();
  const key = new Uint8Array(32).fill(7).toBase64();
  const variables: Record<string, string> = {
    APPROVALS_SLACK_WEBHOOK_URL: slack.url,
    APPROVALS_HOOK_URL: `http://127.0.0.1:${server.addr.port}/s3cret`,
    APPROVALS_HOOK_SECRET: `whsec_${key}`,
  };
  const channels = openChannels(
    readConfig(NOTICE_SETTINGS, (name) => variables[name]),
  );
  const notice = { kind: "new", rank: 0, post: waitingRow("a").post! } as const;
  const options = { deskUrl: undefined, nowMs: START_MS };
  for (const channel of channels) {
    assertEquals(await channel.deliver([notice], options, signal), {
      delivered: true,
    });
  }
  const [{ headers, body } = { headers: new Headers(), body: "" }] = requests;
  const id = headers.get("webhook-id")!;
  const timestamp = headers.get("webhook-timestamp")!;
  assertEquals(timestamp, `${START_MS / 1000}`);
  const hmac = await crypto.subtle.importKey(
    "raw",
    readWebhookKey(key),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["verify"],
  );
  const [version, base64 = ""] = headers.get("webhook-signature")!.split(",");
  const signature = Uint8Array.fromBase64(base64);
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  assertEquals(version, "v1");
  assert(await crypto.subtle.verify("HMAC", hmac, signature, signed));
  assertEquals(JSON.parse(body).job_id, "a");
  assertEquals(JSON.parse(slack.received[0]!.body).blocks.length, 3);
});
