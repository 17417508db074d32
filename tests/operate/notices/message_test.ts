/**
 * What notices say, word for word.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  hookNotice,
  slackNotice,
} from "../../../lib/operate/notices/message.ts";
import { noticeId } from "../../../lib/operate/notices/channels.ts";
import { START_MS, waitingRow } from "../../support/notices.ts";
import { assertSlackTakes } from "../../support/block_kit.ts";

const MINUTE_MS = 60_000;
const DESK = "https://desk.example.com";
const at = (minutes: number) => ({
  deskUrl: DESK,
  nowMs: START_MS + minutes * MINUTE_MS,
});
const post = (id: string, changes = {}) => waitingRow(id, changes).post!;
const textOf = (block: unknown) =>
  (block as { text: { text: string } }).text.text;
const NEW = { kind: "new", rank: 0 } as const;

Deno.test("one approval is a notice of its headline, age and link", () => {
  const notice = { ...NEW, post: post("run:post@1") };
  assertEquals(slackNotice([notice], at(0.5)), {
    text:
      "🔴 P1 · checkout-api: orders fail · waiting for approval for 30 s, possible until 2026-11-29 10:30:00 UTC",
    blocks: [
      {
        type: "header",
        text: {
          type: "plain_text",
          text: "🔴 P1 · checkout-api: orders fail",
          emoji: false,
        },
      },
      {
        type: "section",
        text: {
          type: "mrkdwn",
          text:
            "Waiting for approval for 30 s, possible until 2026-11-29 10:30:00 UTC",
          verbatim: true,
        },
      },
      {
        type: "context",
        elements: [{
          type: "mrkdwn",
          text: "severity critical · job.incident-enricher.post",
          verbatim: true,
        }],
      },
      {
        type: "actions",
        block_id: "links",
        elements: [{
          type: "button",
          text: { type: "plain_text", text: "Read and decide", emoji: false },
          url: `${DESK}/posts/run%3Apost%401`,
          action_id: "open_run",
        }],
      },
    ],
  });
});

/** The notification text after the headline. */
function stateOf(
  kind: "new" | "reminder" | "last",
  minutes: number,
  changes = {},
): string {
  const notice = { kind, rank: 1, post: post("a", changes) };
  return slackNotice([notice], at(minutes)).text.split(" · ").slice(2).join();
}

Deno.test("a reminder, the last notice and a late one say so", () => {
  const until = "2026-11-29 10:30:00 UTC";
  assertEquals(
    stateOf("reminder", 5),
    `still waiting for approval after 5 min, possible until ${until}`,
  );
  assertEquals(
    stateOf("last", 50),
    `can be approved for 10 min more, until ${until}; has waited for 50 min`,
  );
  assertEquals(
    stateOf("new", 61, { problem: "its evidence is old", until: "" }),
    "can no longer be approved, and nobody decided: its evidence is old",
  );
  assertEquals(
    stateOf("new", 3, { until: "" }),
    "waiting for approval for 3 min",
  );
});

Deno.test("many approvals are a list of ten, the worst first, and a count", () => {
  const notices = Array.from({ length: 50 }, (_, n) => ({
    ...NEW,
    post: post(`job-${n}`, {
      headline: `incident ${n}`,
      severity: n === 33 ? "critical" : "warning",
    }),
  }));
  const { text, blocks } = slackNotice(notices, at(1));
  assertEquals(text, "50 approvals waiting");
  const lines = textOf(blocks[1]).split("\n");
  assertEquals(lines.length, 11);
  assert(lines[0]!.startsWith("• incident 33 · waiting for approval for 60 s"));
  assertEquals(lines[10], "and 40 more");
  assertEquals(
    JSON.stringify(blocks[2]).includes(`"url":"${DESK}/"`),
    true,
  );
});

Deno.test("a hostile headline stays text, and a notice is what Slack takes", () => {
  const headline = `<!channel> *x* :fire: https://evil.example ${
    "y".repeat(400)
  }`;
  const hostile = { ...NEW, post: post("a", { headline, note: headline }) };
  for (const count of [1, 50]) {
    const message = slackNotice(Array(count).fill(hostile), at(1));
    assertSlackTakes(message);
    const json = JSON.stringify({
      ...message,
      blocks: message.blocks.slice(1),
    });
    assert(!json.includes("<!channel>"), json);
  }
});

Deno.test("a notice has no evidence, no link without DESK_URL, and a name without a headline", () => {
  const secret = post("a", { headline: "", lines: ["evidence says so"] });
  const message = slackNotice([{ ...NEW, post: secret }], {
    ...at(1),
    deskUrl: undefined,
  });
  assertEquals(message.blocks.length, 3);
  assert(message.text.startsWith("Orders fail · waiting"));
  assert(!JSON.stringify(message).includes("evidence says so"));
  const bare = { ...secret, title: "" };
  const { text } = slackNotice([{ ...NEW, post: bare }], at(1));
  assert(text.startsWith("job.incident-enricher.post (a) · waiting"), text);
});

Deno.test("our own webhook gets the approval, the kind of notice and the link", () => {
  const notice = { kind: "reminder", rank: 2, post: post("a") } as const;
  const { notice: kind, desk_url, ...rest } = hookNotice(notice, at(15));
  assertEquals([kind, desk_url], ["reminder", `${DESK}/posts/a`]);
  assertEquals(rest, { ...notice.post });
});

Deno.test("a notice keeps its id from one attempt and desk to the next", async () => {
  const id = await noticeId({ post: post("a"), rank: 0 });
  assert(/^msg_[0-9a-f]{32}$/.test(id));
  assertEquals(await noticeId({ post: post("a", { age_s: 9 }), rank: 0 }), id);
  const others = [
    { post: post("a"), rank: 1 },
    { post: post("b"), rank: 0 },
    { post: post("a", { since: "2026-11-29T09:30:01.000Z" }), rank: 0 },
  ];
  const ids = await Promise.all(others.map((other) => noticeId(other)));
  assertEquals(new Set([id, ...ids]).size, 4);
});
