import { assert, assertEquals } from "@std/assert";
import { startRedaction } from "../lib/redact.ts";

// Put together here, so that no scanner takes this file for a leak.
const SLACK = [
  "https://hooks.slack.com",
  "services",
  "T0",
  "B0",
  "x".repeat(24),
]
  .join("/");
const ROWS: [name: string, text: string, redacted: string][] = [
  [
    "a webhook",
    `post to ${SLACK}, please`,
    "post to [secret:webhook-url#1] please",
  ],
  ["a webhook in JSON", `{"u":"${SLACK}"}`, '{"u":"[secret:webhook-url#1]"}'],
  [
    "a workflow trigger of Slack",
    "https://hooks.slack.com/triggers/T0/1/abc",
    "[secret:webhook-url#1]",
  ],
  [
    "a webhook with a port",
    SLACK.replace(".com/", ".com:443/"),
    "[secret:webhook-url#1]",
  ],
  [
    "a webhook with a user and a final dot",
    SLACK.replace("://", "://me@").replace(".com/", ".com./"),
    "https://me@[secret:webhook-url#1]",
  ],
  [
    "a webhook without its scheme",
    `curl ${SLACK.slice("https://".length)}.`,
    "curl [secret:webhook-url#1]",
  ],
  [
    "a webhook as JSON may escape it",
    `{"u":"${SLACK.replaceAll("/", "\\/")}"}`,
    '{"u":"https:\\/\\/[secret:webhook-url#1]"}',
  ],
  [
    "a webhook within a query",
    `https://x.example/?u=${encodeURIComponent(SLACK)}`,
    "https://x.example/?u=https%3A%2F%2F[secret:webhook-url#1]",
  ],
  [
    "a webhook of Discord",
    "https://discord.com/api/webhooks/1/abc-def",
    "[secret:webhook-url#1]",
  ],
  [
    "a password in a URL",
    "postgres://app:hunter2@db:5432/x",
    "postgres://app:[secret:url-password#1]@db:5432/x",
  ],
  [
    "a password without a user",
    "redis://:hunter2@redis",
    "redis://:[secret:url-password#1]@redis",
  ],
  [
    "a password that is also the user and the scheme",
    "postgres://postgres:postgres@db, http://http:http@x",
    "postgres://postgres:[secret:url-password#1]@db, http://http:[secret:url-password#2]@x",
  ],
  [
    "a value that begins its own name",
    "password=pass token: toke",
    "password=[secret:named#1] token: [secret:named#2]",
  ],
  [
    "a header",
    "Authorization: Bearer abc.DEF-123",
    "Authorization: Bearer [secret:authorization#1]",
  ],
  [
    "a header of another scheme",
    'Authorization: Token abcd1234, proxy-authorization: "xyz789"',
    'Authorization: Token [secret:authorization#1], proxy-authorization: "[secret:authorization#2]"',
  ],
  ["basic credentials", "basic dXNlcjpwYXNz", "basic [secret:authorization#1]"],
  ["an AWS key", `key ${"AKIA" + "Z".repeat(16)}.`, "key [secret:aws-key#1]."],
  ["a Slack token", `${"xoxb"}-1234567890-abc`, "[secret:token#1]"],
  ["a GitHub token", `ghp_${"a".repeat(36)}`, "[secret:token#1]"],
  [
    "a JSON web token",
    `eyJ${"a".repeat(20)}.${"b".repeat(20)}.${"c".repeat(20)}`,
    "[secret:jwt#1]",
  ],
  [
    "a JSON web token behind a hyphen",
    `eyJ-x-eyJ${"a".repeat(20)}.${"b".repeat(20)}., then`,
    "[secret:jwt#1], then",
  ],
  [
    "a JSON web token behind what is too short for one",
    `a-eyJ${"a".repeat(20)}.${"b".repeat(20)}.c.eyJ.d`,
    "a-[secret:jwt#1].eyJ.d",
  ],
  [
    "a named value",
    "password=hunter22 host=db",
    "password=[secret:named#1] host=db",
  ],
  [
    "a variable",
    "export DB_PASSWORD=hunter22 dbToken=abcd",
    "export DB_PASSWORD=[secret:named#1] dbToken=[secret:named#2]",
  ],
  [
    "one in JSON within JSON",
    '{\\"password\\": \\"hunter22\\"}',
    '{\\"password\\": \\"[secret:named#1]"}',
  ],
  ["a quoted one", '"api_key": "hunter22"', '"api_key": "[secret:named#1]"'],
  [
    "a webhook in capitals",
    `see ${SLACK.toUpperCase()}`,
    "see [secret:webhook-url#1]",
  ],
  [
    "a password in a URL in capitals",
    "POSTGRES://APP:HUNTER2@DB:5432/X",
    "POSTGRES://APP:[secret:url-password#1]@DB:5432/X",
  ],
  [
    "a header in capitals",
    "BEARER ABC.DEF-123",
    "BEARER [secret:authorization#1]",
  ],
  ["a named value in capitals", "API_KEY=HUNTER22", "API_KEY=[secret:named#1]"],
  [
    "one beside what looks like another",
    `AKIA is none, ${"xoxb"}-1234567890-abc is`,
    "AKIA is none, [secret:token#1] is",
  ],
  [
    "a private key",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- rest",
    "[secret:private-key#1] rest",
  ],
  [
    "a private key that was cut off",
    "-----BEGIN PRIVATE KEY-----\nMIIE",
    "[secret:private-key#1]",
  ],
];
for (const [name, text, redacted] of ROWS) {
  Deno.test(`startRedaction() takes out ${name}`, () => {
    assertEquals(startRedaction().text(text), redacted);
  });
}

const KEPT = [
  "p99 of POST /checkout rose from 300 ms to 2.4 s",
  "https://incidents.example.com/INC-1042?token_count=3",
  "https://example.slack.com/archives/C1/p2",
  "host:port user@example.com 10:30",
  "the token expired; the password policy changed",
  "sha256 5e3c6d079dc4eda65e3c6d079dc4eda65e3c6d079dc4eda65e3c6d079dc4eda6",
  "hooks.slack.com is a host, authorization is a word",
  "AKIA is not a key, nor is Bearer",
  "redis://art:9e6f751b-8560-457d-9169-a49fcfaadd5a",
];
for (const text of KEPT) {
  Deno.test(`startRedaction() leaves alone: ${text}`, () => {
    assertEquals(startRedaction().text(text), text);
  });
}

Deno.test("startRedaction() gives one value one placeholder, and numbers values", () => {
  const redaction = startRedaction();
  const url = (password: string) => `redis://:${password}@redis`;
  assertEquals(
    redaction.value({
      a: url("one1"),
      b: [url("two2"), url("one1")],
      [url("one1")]: 1,
    }),
    {
      a: "redis://:[secret:url-password#1]@redis",
      b: [
        "redis://:[secret:url-password#2]@redis",
        "redis://:[secret:url-password#1]@redis",
      ],
      "redis://:[secret:url-password#1]@redis": 1,
    },
  );
});

Deno.test("startRedaction() takes out what stands in a field that says what it is", () => {
  const raw = {
    password: "x",
    db_password: "y",
    "api-key": ["z1", "z2"],
    slack_webhook_url: "http://10.0.0.1/hook",
    token: 7,
    tokens_used: "12",
    headers: { authorization: "abc", cookie: "s=1" },
    secret: "",
    nothing: null,
  };
  assertEquals(
    startRedaction().value(raw),
    {
      password: "[secret:named#1]",
      db_password: "[secret:named#2]",
      "api-key": ["[secret:named#3]", "[secret:named#4]"],
      slack_webhook_url: "[secret:named#5]",
      token: 7,
      tokens_used: "12",
      headers: {
        authorization: "[secret:named#6]",
        cookie: "[secret:named#7]",
      },
      secret: "",
      nothing: null,
    } as unknown as typeof raw,
  );
});

Deno.test("startRedaction() takes out what a name says, however it is written", () => {
  const raw = {
    clientSecret: "a",
    grafanaApiKey: "b",
    env: [
      { name: "DB_PASSWORD", value: "c" },
      { name: "REGION", value: "eu" },
      { name: "Authorization", value: ["d"] },
      { name: 7, value: "e" },
    ],
  };
  assertEquals(startRedaction().value(raw), {
    clientSecret: "[secret:named#1]",
    grafanaApiKey: "[secret:named#2]",
    env: [
      { name: "DB_PASSWORD", value: "[secret:named#3]" },
      { name: "REGION", value: "eu" },
      { name: "Authorization", value: ["[secret:named#4]"] },
      { name: 7, value: "e" },
    ],
  });
});

Deno.test("startRedaction() changes no JSON value that holds no credential", () => {
  const text = '{"a":[1,true,null,"x",{"b":"c"}],"__proto__":{"d":"e"}}';
  assertEquals(JSON.stringify(startRedaction().value(JSON.parse(text))), text);
});

// A bound so wide that only growth with the square of the length breaks it.
for (
  const piece of [
    "https://",
    "a://:",
    "-----BEGIN PRIVATE KEY-----",
    "bearer ",
    "eyJaaaaaaaaaaaaaa.",
    "eyJ-",
    "eyJ-aaaaaaaaaa.",
    "authorization: ",
    "hooks.slack.com/\\",
    "password=",
    "[w.-]",
    "x.discord",
    " \t",
    "token: ",
  ]
) {
  Deno.test(`startRedaction() takes time in proportion: ${JSON.stringify(piece)}`, () => {
    const text = piece.repeat(Math.ceil(1_000_000 / piece.length));
    const started = performance.now();
    startRedaction().text(text);
    assert(performance.now() - started < 5_000);
  });
}

Deno.test("startRedaction() takes out all that stands within a secret field", () => {
  const given = {
    credentials: { user: "bob", parts: ["hunter22", { deep: "hunter33" }] },
    other: { user: "bob" },
  };
  assertEquals(startRedaction().value(given), {
    credentials: {
      user: "[secret:named#1]",
      parts: ["[secret:named#2]", { deep: "[secret:named#3]" }],
    },
    other: { user: "bob" },
  });
});
