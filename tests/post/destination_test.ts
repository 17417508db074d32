import { assert, assertEquals, assertRejects } from "@std/assert";
import { sha256Hex } from "../../lib/base/digest.ts";
import { JobError } from "../../lib/base/errors.ts";
import type { Destination as Wanted } from "../../lib/incident.ts";
import {
  type Destination,
  type DestinationRules,
  readDestination,
} from "../../lib/post/destination.ts";

const SECRET = "plantedSecret";
const PATH = `/services/T0EXAMPLE/B0EXAMPLE/${SECRET}`;
const WEBHOOK = `https://hooks.slack.com${PATH}`;
const SLACK: Wanted = { mode: "slack" };

function rules(changes: Partial<DestinationRules> = {}): DestinationRules {
  return {
    slackWebhookUrl: WEBHOOK,
    slackAllowedHosts: ["hooks.slack.com"],
    policyHosts: undefined,
    allowInputUrl: false,
    ...changes,
  };
}

/** Reads a destination that must be a webhook. */
async function readSlack(
  wanted: Wanted,
  changes: Partial<DestinationRules>,
): Promise<Destination & { kind: "slack" }> {
  const destination = await readDestination(wanted, rules(changes));
  assert(destination.kind === "slack");
  return destination;
}

async function assertRefused(
  why: string,
  wanted: Wanted,
  changes: Partial<DestinationRules>,
): Promise<void> {
  const error = await assertRejects(
    () => readDestination(wanted, rules(changes)),
    JobError,
  );
  assertEquals(
    [error.code, error.retryable, error.message],
    ["DESTINATION_REFUSED", false, `Cannot post: ${why}`],
  );
  assert(!Deno.inspect(error).includes(SECRET), "the error quotes the URL");
}

Deno.test("readDestination() names a webhook by the digest of its URL", async () => {
  assertEquals(await readDestination(SLACK, rules()), {
    kind: "slack",
    id: "slack:1ecdf28494df2a3e",
    host: "hooks.slack.com",
    url: WEBHOOK,
  });
});

Deno.test("readDestination() names two webhooks of one host differently", async () => {
  const ids = await Promise.all(
    [WEBHOOK, `${WEBHOOK}2`].map(async (url) =>
      (await readSlack(SLACK, { slackWebhookUrl: url })).id
    ),
  );
  assert(ids[0] !== ids[1]);
});

Deno.test("readDestination() takes a host that is listed with port 443", async () => {
  const listed = { slackAllowedHosts: ["hooks.slack.com:443"] };
  const { host } = await readSlack(SLACK, listed);
  assertEquals(host, "hooks.slack.com");
});

Deno.test("readDestination() gives a webhook one name with port 443 and without", async () => {
  const spelled = `https://hooks.slack.com:443${PATH}`;
  assertEquals(
    await readDestination(SLACK, rules({ slackWebhookUrl: spelled })),
    await readDestination(SLACK, rules()),
  );
});

for (const wanted of [undefined, { mode: "artifact" }] as const) {
  Deno.test(`readDestination() says artifact when ${JSON.stringify(wanted)} is wanted`, async () => {
    const bad = {
      slackWebhookUrl: "nonsense",
      slackAllowedHosts: [],
      policyHosts: [],
    };
    assertEquals(await readDestination(wanted, rules(bad)), {
      kind: "artifact",
      id: "artifact",
      host: "artifact",
    });
  });
}

Deno.test("readDestination() ignores the input's URL when an artifact is wanted", async () => {
  const wanted: Wanted = { mode: "artifact", slack_webhook_url: WEBHOOK };
  const { kind } = await readDestination(
    wanted,
    rules({ allowInputUrl: true }),
  );
  assertEquals(kind, "artifact");
});

const ACCEPTED: { url: string; listed: string }[] = [
  { url: `https://hooks.slack.com/`, listed: "hooks.slack.com" },
  {
    url: `https://hooks.slack-gov.com${PATH}`,
    listed: "hooks.slack-gov.com",
  },
  { url: `https://chat.test:8443/hooks/a-b_c.d~e`, listed: "chat.test:8443" },
  { url: `https://chat.test/hooks/x?thread=1&wait=true`, listed: "chat.test" },
  { url: `https://xn--bcher-kva.test/x`, listed: "xn--bcher-kva.test" },
  { url: `http://127.0.0.1:8080${PATH}`, listed: "127.0.0.1:8080" },
  { url: `https://127.0.0.1:8443${PATH}`, listed: "127.0.0.1:8443" },
  { url: `http://localhost:8080${PATH}`, listed: "localhost:8080" },
  {
    url: `https://hooks.slack.com/${"x".repeat(1976)}`, // 2000 characters.
    listed: "hooks.slack.com",
  },
];

for (const { url, listed } of ACCEPTED) {
  Deno.test(`readDestination() accepts ${shown(url)} when ${listed} is listed`, async () => {
    const slackAllowedHosts = ["other.test", listed];
    assertEquals(
      await readSlack(SLACK, { slackWebhookUrl: url, slackAllowedHosts }),
      {
        kind: "slack",
        id: `slack:${(await sha256Hex(url)).slice(0, 16)}`,
        host: listed,
        url,
      },
    );
  });
}

const NOT_PLAIN = "the webhook is not a plain https URL";
const ODD_HOST = "the webhook's host is spelled oddly";
const ODD_PATH = "the webhook's path is spelled oddly";
const NO_HTTPS = "the webhook must use https";
const ADDRESS = "the webhook's host is an address, not a name";

function unlisted(host: string): string {
  return `host "${host}" is not allowed; set SLACK_ALLOWED_HOSTS`;
}

/** What is refused, and why, though `listed` and Slack are both allowed. */
const REFUSED: [url: string, why: string, ...listed: string[]][] = [
  // Other hosts.
  [`https://evilslack.com${PATH}`, unlisted("evilslack.com")],
  [`https://slack.com${PATH}`, unlisted("slack.com")],
  [
    `https://hooks.slack.com.evil.test${PATH}`,
    unlisted("hooks.slack.com.evil.test"),
  ],
  [`https://evil.test/hooks.slack.com${PATH}`, unlisted("evil.test")],
  [`https://xhooks.slack.com${PATH}`, unlisted("xhooks.slack.com")],
  [`https://hooks-slack.com${PATH}`, unlisted("hooks-slack.com")],
  [`https://xn--hoks-loa.slack.com${PATH}`, unlisted("xn--hoks-loa.slack.com")],
  // Other ports.
  [`https://hooks.slack.com:8443${PATH}`, unlisted("hooks.slack.com:8443")],
  [`https://hooks.slack.com:80${PATH}`, unlisted("hooks.slack.com:80")],
  [`https://hooks.slack.com:0443${PATH}`, ODD_HOST],
  [`https://hooks.slack.com:${PATH}`, NOT_PLAIN],
  [`https://hooks.slack.com:99999${PATH}`, NOT_PLAIN],
  [`https://hooks.slack.com:443443${PATH}`, NOT_PLAIN],
  [`https://chat.test${PATH}`, unlisted("chat.test"), "chat.test:8443"],
  // Other spellings of a name.
  [`https://hooks.slack.com.${PATH}`, ODD_HOST, "hooks.slack.com."],
  [`https://HOOKS.slack.com${PATH}`, NOT_PLAIN, "HOOKS.slack.com"],
  [`https://hooks.slack.com.:443${PATH}`, ODD_HOST],
  [`https://hooks%2Eslack.com${PATH}`, NOT_PLAIN],
  [`https://hooks.slack%E3%80%82com${PATH}`, NOT_PLAIN],
  [`https://hooks\u3002slack\u3002com${PATH}`, NOT_PLAIN],
  [`https://hooks.sl\u0430ck.com${PATH}`, NOT_PLAIN], // Cyrillic a.
  [`https://hooks.slac\u212A.com${PATH}`, NOT_PLAIN], // Kelvin sign.
  [`https://hooks.slack.com\u200b${PATH}`, NOT_PLAIN],
  [`https://hooks.slack\u00ad.com${PATH}`, NOT_PLAIN],
  [`https://${PATH}`, NOT_PLAIN],
  [`https:///${PATH}`, NOT_PLAIN],
  [`https://.${PATH}`, ODD_HOST, "."],
  [`https://${"a".repeat(254)}${PATH}`, NOT_PLAIN, "a".repeat(254)],
  // User info.
  [`https://hooks.slack.com@evil.test${PATH}`, NOT_PLAIN],
  [`https://user@hooks.slack.com${PATH}`, NOT_PLAIN],
  [`https://user:${SECRET}@hooks.slack.com${PATH}`, NOT_PLAIN],
  [`https://@hooks.slack.com${PATH}`, NOT_PLAIN],
  // What parsers drop or turn round.
  [`https://hooks.slack.com\\@evil.test${PATH}`, NOT_PLAIN],
  [`https:\\\\hooks.slack.com${PATH}`, NOT_PLAIN],
  [`https://evil.test\\.hooks.slack.com${PATH}`, NOT_PLAIN],
  [`https:/hooks.slack.com${PATH}`, NOT_PLAIN],
  [`https:hooks.slack.com${PATH}`, NOT_PLAIN],
  [`//hooks.slack.com${PATH}`, NOT_PLAIN],
  [`https://hooks.sla\tck.com${PATH}`, NOT_PLAIN],
  [`ht\ntps://hooks.slack.com${PATH}`, NOT_PLAIN],
  [`https://hooks.slack.com${PATH}\n`, NOT_PLAIN],
  [`https://hooks.slack.com${PATH}\r\nHost: evil.test`, NOT_PLAIN],
  [` https://hooks.slack.com${PATH}`, NOT_PLAIN],
  [`https://hooks.slack.com${PATH} `, NOT_PLAIN],
  [`https://hooks.slack.com ${PATH}`, NOT_PLAIN],
  [`https://hooks.slack.com\0${PATH}`, NOT_PLAIN],
  // Other schemes.
  [`http://hooks.slack.com${PATH}`, NO_HTTPS],
  [`http://hooks.slack.com:443${PATH}`, NO_HTTPS, "hooks.slack.com:443"],
  [`HTTPS://hooks.slack.com${PATH}`, NOT_PLAIN],
  [`ftp://hooks.slack.com${PATH}`, NOT_PLAIN],
  [`file://hooks.slack.com${PATH}`, NOT_PLAIN],
  [`javascript:${SECRET}`, NOT_PLAIN],
  [`data:text/plain,${SECRET}`, NOT_PLAIN],
  // Other spellings of a path, each of which would be another name.
  [`https://hooks.slack.com`, NOT_PLAIN],
  [`${WEBHOOK}#`, NOT_PLAIN],
  [`${WEBHOOK}#${SECRET}`, NOT_PLAIN],
  [`${WEBHOOK}?`, NOT_PLAIN],
  [`${WEBHOOK}?a=%20`, NOT_PLAIN],
  [`https://hooks.slack.com/%73ervices/${SECRET}`, NOT_PLAIN],
  [`https://hooks.slack.com/services\\${SECRET}`, NOT_PLAIN],
  [`https://hooks.slack.com/services/../services/${SECRET}`, ODD_PATH],
  [`https://hooks.slack.com/./services/${SECRET}`, ODD_PATH],
  [`https://hooks.slack.com/services/\u00e9${SECRET}`, NOT_PLAIN],
  [`https://hooks.slack.com/${"x".repeat(1977)}`, NOT_PLAIN],
  [`https://hooks.slack.com/${"x".repeat(1_000_000)}`, NOT_PLAIN],
  // Addresses, listed and in every notation.
  [`https://10.0.0.1${PATH}`, ADDRESS, "10.0.0.1"],
  [`https://10.0.0.1:8443${PATH}`, ADDRESS, "10.0.0.1:8443"],
  [`http://10.0.0.1:8080${PATH}`, NO_HTTPS, "10.0.0.1:8080"],
  [`http://169.254.169.254${PATH}`, NO_HTTPS, "169.254.169.254"],
  [`https://127.0.0.1${PATH}`, ADDRESS, "127.0.0.1"],
  [`http://127.0.0.1${PATH}`, NO_HTTPS, "127.0.0.1"],
  [`http://127.0.0.2:8080${PATH}`, NO_HTTPS, "127.0.0.2:8080"],
  [`https://127.0.0.2:8443${PATH}`, ADDRESS, "127.0.0.2:8443"],
  [`http://0.0.0.0:8080${PATH}`, NO_HTTPS, "0.0.0.0:8080"],
  [`http://127.1:8080${PATH}`, ODD_HOST, "127.1:8080"],
  [`http://127.0.1:8080${PATH}`, ODD_HOST, "127.0.1:8080"],
  [`http://2130706433:8080${PATH}`, ODD_HOST, "2130706433:8080"],
  [`http://0x7f000001:8080${PATH}`, ODD_HOST, "0x7f000001:8080"],
  [`http://0x7f.1:8080${PATH}`, ODD_HOST, "0x7f.1:8080"],
  [`http://0177.0.0.1:8080${PATH}`, ODD_HOST, "0177.0.0.1:8080"],
  [`http://017700000001:8080${PATH}`, ODD_HOST, "017700000001:8080"],
  [`http://127.0.0.1.:8080${PATH}`, ODD_HOST, "127.0.0.1.:8080"],
  [`http://127.0.0.1:08080${PATH}`, ODD_HOST, "127.0.0.1:08080"],
  [`http://256.0.0.1:8080${PATH}`, NOT_PLAIN, "256.0.0.1:8080"],
  [`http://\uff11\uff12\uff17.0.0.1:8080${PATH}`, NOT_PLAIN],
  [`http://\u2460\u2461\u2466.0.0.1:8080${PATH}`, NOT_PLAIN],
  [`http://[::1]:8080${PATH}`, NOT_PLAIN, "[::1]:8080"],
  [`https://[::1]${PATH}`, NOT_PLAIN, "[::1]"],
  [`http://[::ffff:127.0.0.1]:8080${PATH}`, NOT_PLAIN, "[::ffff:7f00:1]:8080"],
  [`https://[fe80::1%25eth0]${PATH}`, NOT_PLAIN, "[fe80::1]"],
  // Loopback, but not as it is listed.
  [
    `http://127.0.0.1:8080${PATH}`,
    unlisted("127.0.0.1:8080"),
    "localhost:8080",
  ],
  [
    `http://localhost:8080${PATH}`,
    unlisted("localhost:8080"),
    "127.0.0.1:8080",
  ],
  [
    `http://127.0.0.1:8081${PATH}`,
    unlisted("127.0.0.1:8081"),
    "127.0.0.1:8080",
  ],
  [`http://localhost${PATH}`, NO_HTTPS, "localhost"],
  [
    `http://localhost.evil.test:8080${PATH}`,
    NO_HTTPS,
    "localhost.evil.test:8080",
  ],
  [`http://sub.localhost:8080${PATH}`, NO_HTTPS, "sub.localhost:8080"],
  // Nothing at all.
  ["", NOT_PLAIN],
  [SECRET, NOT_PLAIN],
  ["/", NOT_PLAIN],
];

for (const [url, why, ...listed] of REFUSED) {
  const note = listed.length === 0
    ? ""
    : ` though ${shown(listed[0]!)} is listed`;
  Deno.test(`readDestination() refuses ${shown(url)}${note}`, async () => {
    const slackAllowedHosts = ["hooks.slack.com", ...listed];
    await assertRefused(why, SLACK, {
      slackWebhookUrl: url,
      slackAllowedHosts,
    });
    // An incident's own URL has it no easier.
    await assertRefused(why, { ...SLACK, slack_webhook_url: url }, {
      slackAllowedHosts,
      allowInputUrl: true,
    });
  });
}

/** A URL as a test's name may hold it. */
function shown(url: string): string {
  const text = url.replace(PATH, "/…").replaceAll(SECRET, "…");
  const short = text.length > 80
    ? `${text.slice(0, 60)}… (${url.length})`
    : text;
  return JSON.stringify(short);
}

Deno.test("readDestination() refuses every host when none is listed", async () => {
  await assertRefused(unlisted("hooks.slack.com"), SLACK, {
    slackAllowedHosts: [],
  });
});

Deno.test("readDestination() refuses Slack when no webhook is configured", async () => {
  await assertRefused(
    "no webhook is configured; set SLACK_WEBHOOK_URL",
    { mode: "slack", slack_webhook_url: WEBHOOK }, // Not to be trusted.
    { slackWebhookUrl: undefined },
  );
});

Deno.test("readDestination() ignores the input's URL unless it is told to trust it", async () => {
  const wanted: Wanted = {
    mode: "slack",
    slack_webhook_url: `https://hooks.slack.com/services/other`,
  };
  assertEquals((await readSlack(wanted, {})).url, WEBHOOK);
  const trusting = { allowInputUrl: true };
  assertEquals(
    (await readSlack(wanted, trusting)).url,
    wanted.slack_webhook_url,
  );
  assertEquals((await readSlack(SLACK, trusting)).url, WEBHOOK);
});

Deno.test("readDestination() does not fall back when the input's URL is refused", async () => {
  const wanted: Wanted = {
    mode: "slack",
    slack_webhook_url: `https://evil.test${PATH}`,
  };
  await assertRefused(unlisted("evil.test"), wanted, { allowInputUrl: true });
});

const POLICIES: { hosts: string[]; url?: string; allowed: boolean }[] = [
  { hosts: ["hooks.slack.com"], allowed: true },
  { hosts: ["api.test", "hooks.slack.com:443"], allowed: true },
  { hosts: ["hooks.slack.com:8443"], allowed: false },
  { hosts: ["slack.com"], allowed: false },
  { hosts: ["*.slack.com"], allowed: false },
  { hosts: ["*"], allowed: false },
  { hosts: [""], allowed: false },
  { hosts: [], allowed: false },
  {
    hosts: ["127.0.0.1:8080"],
    url: `http://127.0.0.1:8080${PATH}`,
    allowed: true,
  },
  { hosts: ["127.0.0.1"], url: `http://127.0.0.1:8080${PATH}`, allowed: false },
];

for (const { hosts, url = WEBHOOK, allowed } of POLICIES) {
  const verb = allowed ? "accepts" : "refuses";
  Deno.test(`readDestination() ${verb} ${shown(url)} when policy lists ${JSON.stringify(hosts)}`, async () => {
    const changes = {
      slackWebhookUrl: url,
      slackAllowedHosts: ["hooks.slack.com", "127.0.0.1:8080"],
      policyHosts: hosts,
    };
    const { host } = new URL(url);
    if (allowed) assertEquals((await readSlack(SLACK, changes)).host, host);
    else {
      await assertRefused(
        `policy does not allow host "${host}"`,
        SLACK,
        changes,
      );
    }
  });
}

Deno.test("readDestination() refuses what only policy lists", async () => {
  await assertRefused(unlisted("evil.test"), SLACK, {
    slackWebhookUrl: `https://evil.test${PATH}`,
    policyHosts: ["evil.test", "hooks.slack.com"],
  });
});

const FAULTS: [
  string,
  Wanted,
  Partial<DestinationRules>,
  "slack" | undefined,
][] = [
  ["no URL", SLACK, { slackWebhookUrl: undefined }, "slack"],
  [
    "an URL without https",
    SLACK,
    { slackWebhookUrl: "http://a.test/x" },
    "slack",
  ],
  [
    "a host that is not allowed",
    SLACK,
    { slackAllowedHosts: ["a.test"] },
    "slack",
  ],
  ["a host that policy forbids", SLACK, { policyHosts: [] }, undefined],
  [
    "a foreign URL in the input",
    { ...SLACK, slack_webhook_url: "https://evil.test/x" },
    { allowInputUrl: true },
    undefined,
  ],
];
for (const [what, wanted, changes, part] of FAULTS) {
  Deno.test(`readDestination() ${part ? "blames" : "does not blame"} the poster's settings for ${what}`, async () => {
    const error = await assertRejects(
      () => readDestination(wanted, rules(changes)),
      JobError,
    );
    assertEquals([error.code, error.part], ["DESTINATION_REFUSED", part]);
  });
}
