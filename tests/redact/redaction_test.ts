import { assertEquals } from "@std/assert";
import { addLedgers, startRedaction } from "../../lib/redact/redaction.ts";
import { encodeBase64 } from "./corpus/random.ts";

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
    '{"u":"[secret:webhook-url#1]"}',
  ],
  [
    "a webhook within a query",
    `https://x.example/?u=${encodeURIComponent(SLACK)}`,
    "https://x.example/?u=[secret:webhook-url#1]",
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
    "password=passw token=tokenx",
    "password=[secret:named#1] token=[secret:named#2]",
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
    '{\\"password\\": \\"[secret:named#1]\\"}',
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
  Deno.test("what stands where a header has its credential goes, even if it reads like words", () => {
    const secret = ["bearer", "Secret"].join("");
    const given = [
      `Authorization: Bearer ${secret}`,
      `curl -H "Authorization: Token ${secret}" x`,
      `Bearer ${secret}`,
      `Basic ${secret}`,
    ];
    const found = startRedaction().value(given);
    assertEquals(found.filter((text) => text.includes(secret)), []);
    const kept = [
      "Basic availability",
      "Bearer token",
      "Basic Authentication",
      "Authorization: Bearer YOUR_TOKEN",
      "Basic load-balancing",
    ];
    assertEquals(startRedaction().value(kept), kept);
  });

  Deno.test(`startRedaction() takes out ${name}`, () => {
    assertEquals(startRedaction().text(text), redacted);
  });
}

const KEPT = [
  "PuTTY-User-Key-File-3: header alone",
  "PuTTY-User-Key-Files are old",
  "http://x.example:8080?x=a@b and http://x.example?y=a@b:c#d@e",
  "http://x.example:a-port/x and 1://a:b@c",
  "app@tcp(db:3306) and :@tcp(x)",
  "password:'' and password= and password=\"\"",
  "pin: 12 and pin=abc",
  "token 5e3c6d079dc4 and token abc",
  'password "is not set" and token "has expired"',
  "authorization: password: token: x",
  "kind: SecretStore and kind: Secrets",
  "https://hooks.slack.com/services/T00000000/B00000000/" + "X".repeat(24),
  "xhooks.slack.com/services/T1/B1/abc",
  "x -- -.- key--",
  "password=Optional[str] token=SecretStr",
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

const MORE: [name: string, text: string, redacted: string][] = [
  [
    "a PIN",
    "pin=4711 otp: 123456",
    "pin=[secret:named#1] otp: [secret:named#2]",
  ],
  ["digits alone on a line", "password: 471147", "password: [secret:named#1]"],
  [
    "a word alone on a line",
    "user: ada\npassword: correcthorse\nport: 1",
    "user: ada\npassword: [secret:named#1]\nport: 1",
  ],
  [
    "a phrase with a token",
    'token: "Custom Zq7x8K2m9Lw4Rt6Y"',
    'token: "[secret:named#1]"',
  ],
  [
    "a quote within quotes",
    'password="hun\\"ter22" x',
    'password="[secret:named#1]" x',
  ],
  [
    "a quote that is not closed",
    'password="hunter22\nx',
    'password="[secret:named#1]\nx',
  ],
  [
    "a session's id",
    "JSESSIONID=5e3c6d079dc4eda65e3c6d079dc4eda6 phpsessid=5e3c6d079dc4eda65e3c6d079dc4eda6",
    "JSESSIONID=[secret:named#1] phpsessid=[secret:named#1]",
  ],
  [
    "a header with a placeholder that is a part",
    "Authorization: Bearer [secret:jwt#1]x",
    "Authorization: Bearer [secret:authorization#1]",
  ],
  [
    "a password with an @",
    "postgres://app:p@ss@db/x",
    "postgres://app:[secret:url-password#1]@db/x",
  ],
  [
    "a name of more than 100 characters",
    `${"x".repeat(200)}_password=hunter22`,
    `${"x".repeat(200)}_password=[secret:named#1]`,
  ],
  [
    "what manifests in escaped lines hold",
    "kind: Secret\\ndata:\\n  a: aHVudGVyMjI=\\n",
    "kind: Secret\\ndata:\\n  a: [secret:named#1]\\n",
  ],
  [
    "two manifests in a row",
    "kind: Secret\ndata:\n  a: aHVudGVy\nb: kind: Secret\n---\nkind: Secret\ndata:\n  c: aHVudGVyMjI=",
    "kind: Secret\ndata:\n  a: [secret:named#1]\nb: kind: Secret\n---\nkind: Secret\ndata:\n  c: [secret:named#2]",
  ],
];
for (const [name, text, redacted] of MORE) {
  Deno.test(`startRedaction() takes out ${name} as well`, () => {
    assertEquals(startRedaction().text(text), redacted);
  });
}

Deno.test("startRedaction() leaves a long list of arguments to its items", () => {
  const given = { args: ["-x", "y".repeat(9_000), "token=hunter22"] };
  assertEquals(startRedaction().value(given).args[2], "token=[secret:named#1]");
});

Deno.test("startRedaction() takes out what a reference holds beside names", () => {
  assertEquals(
    startRedaction().value({
      secret: { name: "a8f5f167f44f4964e6c998dee827110c", key: "tls.key" },
    }),
    { secret: { name: "[secret:named#1]", key: "tls.key" } },
  );
});

// One token, put together here.
const TOKEN = "ghp_" + "aB3".repeat(12);
const TRICKS: [name: string, text: string, redacted: string][] = [
  [
    "zero-width characters in the name",
    "pass\u200bword=hunter22 x",
    "pass\u200bword=[secret:named#1] x",
  ],
  [
    "zero-width characters in a token",
    `got ${TOKEN.replace("_", "\u200b_\u2060")}!`,
    "got [secret:token#1]!",
  ],
  [
    "a soft hyphen",
    "p\u00adassword: Hunter2!x",
    "p\u00adassword: [secret:named#1]",
  ],
  [
    "full-width letters",
    "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44\uff1dhunter22 x",
    "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44\uff1d[secret:named#1] x",
  ],
  [
    "letters of mathematics",
    "\u{1d429}\u{1d41a}\u{1d42c}\u{1d42c}=hunter22",
    "\u{1d429}\u{1d41a}\u{1d42c}\u{1d42c}=[secret:named#1]",
  ],
  [
    "Base64",
    `payload ${encodeBase64("the password=hunter22 is old")} sent`,
    "payload [secret:named#1] sent",
  ],
  [
    "Base64 of a token",
    `payload=${encodeBase64(`use ${TOKEN} here`)}`,
    "payload=[secret:token#1]",
  ],
  [
    "percent encoding",
    "x?q=db%20password%3Dhunter22%26y",
    "x?q=db%20password%3D[secret:named#1]",
  ],
  [
    "percent encoding of the name",
    "p%61ssword=hunter22",
    "p%61ssword=[secret:named#1]",
  ],
  [
    "escapes of JSON",
    "\\u0070assword=hunter22",
    "\\u0070assword=[secret:named#1]",
  ],
  [
    "entities",
    "&quot;password&quot;: &quot;hunter22&quot;",
    "&quot;password&quot;: &quot;[secret:named#1]&quot;",
  ],
  [
    "a sender's placeholder in front",
    "password=[secret:named#1]X",
    "password=[secret:named#2]",
  ],
  [
    "a sender's placeholder behind",
    "password=X[secret:named#1]",
    "password=[secret:named#2]",
  ],
  [
    "a sender's placeholder in quotes",
    'token="[secret:token#4] hunter22"',
    'token="[secret:named#1]"',
  ],
  [
    "two placeholders in a row",
    "token=[secret:token#1][secret:token#2]",
    "token=[secret:named#1]",
  ],
  [
    "a placeholder in the place of a user",
    "https://[secret:token#1]:hunter22@x.example",
    "https://[secret:token#1]:[secret:url-password#1]@x.example",
  ],
  [
    "what only looks like a placeholder",
    "password=[secret:named#x1Y2z3w4]",
    "password=[[secret:named#1]]",
  ],
];
for (const [name, text, redacted] of TRICKS) {
  Deno.test(`startRedaction() is not misled by ${name}`, () => {
    assertEquals(startRedaction().text(text), redacted);
  });
}

Deno.test("startRedaction() keeps placeholders, also where a name is in front of one", () => {
  for (
    const text of [
      "password=[secret:named#1]",
      'token: "[secret:token#12]"',
      "postgres://app:[secret:url-password#3]@db/x",
      "Authorization: Bearer [secret:authorization#1]",
      "Cookie: [secret:cookie#1]",
      "curl -u a:[secret:named#2] https://x.example",
      "https://x.example/?token=%5Bsecret%3Anamed%231%5D&a=1",
      "https://[secret:url-password#1]@x.example",
      "kind: Secret\ndata:\n  a: [secret:named#2]` b",
    ]
  ) {
    assertEquals(startRedaction().text(text), text);
  }
});

Deno.test("startRedaction() gives a new value a number that no placeholder has", () => {
  assertEquals(
    startRedaction().text("token=[secret:named#7] password=hunter22"),
    "token=[secret:named#7] password=[secret:named#8]",
  );
});

Deno.test("startRedaction() leaves labels that name objects, and takes credentials in labels", () => {
  const names = {
    secret: "shop/checkout-tls",
    webhook: "validate.kyverno.svc",
    secret_key: "tls.key",
  };
  const given = {
    alerts: [{ labels: names }],
    groupLabels: names,
    commonLabels: names,
    matchLabels: names,
  };
  assertEquals(startRedaction().value(given), given);
  assertEquals(
    startRedaction().value({
      labels: {
        secret: "a8f5f167f44f4964e6c998dee827110c",
        webhook: "https://chat.example.com/abc",
        password: "checkout-tls",
        api_key: "checkout",
      },
    }).labels,
    {
      secret: "[secret:named#1]",
      webhook: "[secret:named#2]",
      password: "[secret:named#3]",
      api_key: "[secret:named#4]",
    },
  );
});

Deno.test("startRedaction() leaves fields whose names only speak of credentials", () => {
  const given = {
    next_page_token: "abc",
    token_count: "3",
    max_tokens: 4096,
    secretName: "checkout-tls",
    password_policy: "strong",
    tokenType: "bearer",
    auth: "ldap",
    hasPassword: "yes",
    dedup_key: "5e3c6d079dc4eda65e3c6d079dc4eda6",
    groupKey: '{}:{alertname="x"}',
    public_key: "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A",
    secret: { name: "checkout-tls", namespace: "shop" },
    secretKeyRef: { name: "checkout-db", key: "password" },
  };
  assertEquals(startRedaction().value(given), given);
});

Deno.test("startRedaction() reads command lines, numbers and manifests in JSON", () => {
  assertEquals(
    startRedaction().value({
      args: ["run", "--password", "hunter22", "--verbose"],
      command: ["curl", "-u", "admin:hunter22", "https://x.example"],
      pin: 1234,
      password: 98765,
      token: 7,
      list: [{ Key: "DB_PASS", Value: "x" }, {
        variable: "pgpassword",
        value: "y",
      }],
      manifest: { kind: "Secret", data: { anything: "aGk=" }, type: "Opaque" },
    }) as unknown,
    {
      args: ["run", "--password", "[secret:named#1]", "--verbose"],
      command: ["curl", "-u", "admin:[secret:named#1]", "https://x.example"],
      pin: "[secret:named#2]",
      password: "[secret:named#3]",
      token: 7,
      list: [
        { Key: "DB_PASS", Value: "[secret:named#4]" },
        { variable: "pgpassword", value: "[secret:named#5]" },
      ],
      manifest: {
        kind: "Secret",
        data: { anything: "[secret:named#6]" },
        type: "Opaque",
      },
    },
  );
});

Deno.test("startRedaction() takes out what alerts of the field held", () => {
  const text = [
    "exit 1: env DB_PASS=Kk1fieldDBpass SMTP_PASS: Kk2fieldSMTP PGPASSWORD=Kk3fieldPG",
    "DD_APP_KEY=Kk4fieldKey0123456789abcdef SECRET_KEY_BASE=Kk5fieldRails0123456789",
    "curl -u admin:Kk6fieldBasic https://api.example.com; sshpass -p Kk7fieldSsh ssh x",
    "Cookie: session=Kk8fieldCookie0123; mysql --password Kk9fieldMy",
    "AccountName=x;AccountKey=KkAfieldAccountKey0123456789==;EndpointSuffix=x",
    "https://x.example.com/c/f?sv=2022&sig=KkBfieldSasSig0123%3D",
    "POST https://api.telegram.org/bot123456789:AAKkCfieldTelegramToken0123456789abcd/sendMessage failed",
    "POST https://mm.example.com/hooks/kkdfieldmattermost0123456789 failed",
  ].join("\n");
  const redacted = startRedaction().text(text);
  assertEquals(redacted.match(/Kk\w+|kkd\w+/g), null);
  assertEquals(redacted.match(/\[secret:/g)?.length, 13);
});

Deno.test("startRedaction() tells people and addresses from times, versions and words", () => {
  const text =
    "user=none user: is; 10:42:10 aa:bb:cc:dd:ee:ff 1::2::3 :: v1.2.3.4 1.2.3.4.5 a@b @x +1 23 call 12 ticket 4711-0815";
  assertEquals(startRedaction({ level: "strict" }).text(text), text);
  const key = "x".repeat(90);
  assertEquals(startRedaction({ level: "strict" }).value({ [key]: "a" }), {
    [key]: "a",
  });
});

const PERSONAL = {
  title: "asked bob@example.com",
  text:
    "user=ada called +49 170 1234567 or (555) 234-5678 from 10.0.0.7 and 2001:db8::1",
  queue: "arn:aws:sqs:eu-west-1:111122223333:orders",
  assignee: "ada",
  labels: { build: "20261115.1", at: "10:42:10", mac: "aa:bb:cc:dd:ee:ff" },
  count: 3,
};

Deno.test('startRedaction() takes out people and addresses at "strict", not at "standard"', () => {
  assertEquals(startRedaction().value(PERSONAL), PERSONAL);
  assertEquals(startRedaction({ level: "strict" }).value(PERSONAL), {
    title: "asked [secret:email#1]",
    text:
      "user=[secret:user#1] called [secret:phone#1] or [secret:phone#2] from [secret:ip-address#1] and [secret:ip-address#2]",
    queue: "arn:aws:sqs:eu-west-1:[secret:account#1]:orders",
    assignee: "[secret:user#1]",
    labels: PERSONAL.labels,
    count: 3,
  });
});

Deno.test('startRedaction() withholds at "full" all but what the caller says', () => {
  const redaction = startRedaction({
    level: "full",
    stays: (path) => path[0] === "title" || path.join(".") === "labels.build",
  });
  assertEquals(redaction.value(PERSONAL) as unknown, {
    title: "asked [secret:email#1]",
    text: "[withheld]",
    queue: "[withheld]",
    assignee: "[withheld]",
    labels: { build: "20261115.1", at: "[withheld]", mac: "[withheld]" },
    count: "[withheld]",
  });
  assertEquals(redaction.text("anything"), "[withheld]");
  assertEquals(redaction.kept("of bob@example.com"), "of [secret:email#1]");
  assertEquals(redaction.kept({ password: "x" }), {
    password: "[secret:named#1]",
  });
});

Deno.test('startRedaction() takes out nothing at "none"', () => {
  const redaction = startRedaction({ level: "none" });
  const given = { password: "x", text: `token=${TOKEN}` };
  assertEquals(redaction.value(given), given);
  assertEquals(redaction.text(given.text), given.text);
  assertEquals(redaction.ledger(), {});
});

Deno.test("a redaction's ledger counts values by class and says where", () => {
  const redaction = startRedaction();
  redaction.value({
    alerts: [{ labels: { password: "hunter22" } }],
    text: `password=hunter22 and ${TOKEN}`,
  });
  assertEquals(redaction.ledger(), {
    named: { count: 1, where: ["alerts[0].labels.password", "text"] },
    token: { count: 1, where: ["text"] },
  });
});

Deno.test("a redaction's ledger holds at most 20 places, and never a secret key", () => {
  const redaction = startRedaction();
  redaction.value(
    Array.from({ length: 50 }, (_, at) => ({ password: `x${at}` })),
  );
  redaction.value({ [`token=${TOKEN}`]: { password: "y" } });
  const { named } = redaction.ledger();
  assertEquals(named?.count, 51);
  assertEquals(named?.where.length, 20);
  assertEquals(JSON.stringify(redaction.ledger()).includes(TOKEN), false);
});

Deno.test("addLedgers() adds counts by class and keeps each place once", () => {
  assertEquals(
    addLedgers(
      { named: { count: 2, where: ["a", "b"] } },
      { named: { count: 1, where: ["b"] }, jwt: { count: 1, where: [] } },
    ),
    {
      named: { count: 3, where: ["a", "b"] },
      jwt: { count: 1, where: [] },
    },
  );
});

Deno.test("a redaction leaves the quotes in which a message repeats a text", () => {
  const secret = ["hunter", "7".repeat(8)].join("");
  for (const value of [secret, "[secret:named#1]"]) {
    assertEquals(
      startRedaction().text(`“DB_PASS=${value}” [E1]`),
      "“DB_PASS=[secret:named#1]” [E1]",
    );
  }
});

Deno.test("a redaction gives no number that a later placeholder has", () => {
  const secret = ["hunter", "7".repeat(8)].join("");
  const { a } = startRedaction().value({
    a: `password=${secret}`,
    b: { c: ["password=[secret:named#1] password=[secret:named#4]"] },
  });
  assertEquals(a, "password=[secret:named#5]");
});

Deno.test("at strict, people go by the kind of reference and in lists", () => {
  const given = {
    data: {
      assignees: [{ id: "PU1", type: "user_reference", summary: "Ada L." }],
      service: { id: "PS1", type: "service_reference", summary: "Checkout" },
    },
    owners: ["ada", "bob"],
    users: 5000,
    facts: [{ name: "assigned to", value: "Ada L., Bob" }],
  };
  const redaction = startRedaction({ level: "strict" });
  const once = redaction.value(given);
  assertEquals(once, {
    data: {
      assignees: [{
        id: "PU1",
        type: "user_reference",
        summary: "[secret:user#1]",
      }],
      service: { id: "PS1", type: "service_reference", summary: "Checkout" },
    },
    owners: ["[secret:user#2]", "[secret:user#3]"],
    users: 5000,
    facts: [{ name: "assigned to", value: "[secret:user#4]" }],
  });
  const listed = { assigned_to: "[secret:user#1], [secret:user#2]" };
  assertEquals(startRedaction({ level: "strict" }).value(listed), listed);
  assertEquals(startRedaction().value(given), given);
});
