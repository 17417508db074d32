import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  address,
  addressOf,
  alsoNamed,
  type Config,
  fileContent,
  flag,
  hostList,
  integer,
  oneOf,
  optional,
  origins,
  readConfig,
  secret,
  secretList,
  secretsOf,
  type Setting,
  type Settings,
  someOf,
  text,
  url,
  variablesOf,
} from "../../lib/base/config.ts";
import { ConfigError } from "../../lib/base/errors.ts";

const about = "what it is for";
const FILE_CHARS_MAX = 65_536;

const URL_SETTING = url("X", { about });
const NUMBER = integer("X", { about, min: -2, max: 9 });
const FLAG = flag("X", { about });
const WORD = oneOf("X", { about, values: ["artifact", "slack"] });
const LIST = secretList("X", { about });
const ORIGINS = optional(origins("X", { about }));
const ADDRESS = address("X", { about });
const PATTERN = addressOf("X", { about, part: "part" });
const NAME = text("X", { about, pattern: /^\S{1,3}$/, expected: "a name" });

function read<S extends Settings>(
  settings: S,
  env: Record<string, string>,
  files: Record<string, string> = {},
): Config<S> {
  return readConfig(settings, (name) => env[name], (path) => {
    const content = files[path];
    if (content === undefined) throw new Deno.errors.NotFound(path);
    return content;
  });
}

/** What is wrong with an environment, exactly. */
function problem(
  settings: Settings,
  env: Record<string, string>,
  files: Record<string, string> = {},
): string {
  return assertThrows(() => read(settings, env, files), ConfigError).message;
}

const TAKEN: [what: string, Setting<unknown>, text: string, value: unknown][] =
  [
    ["url()", URL_SETTING, "redis://:pw@host:1/0", "redis://:pw@host:1/0"],
    ["url() and drops its last slashes", URL_SETTING, "http://h//", "http://h"],
    ["optional(url())", optional(url("X", { about })), "nats://h", "nats://h"],
    ["integer() at its minimum", NUMBER, "-2", -2],
    ["integer() at its maximum", NUMBER, "9", 9],
    ["integer() with zeros in front", NUMBER, "007", 7],
    ["oneOf() in any case", WORD, "SLACK", "slack"],
    ["text()", text("X", { about }), "any thing", "any thing"],
    ["text() that just matches", NAME, "abc", "abc"],
    ["secretList() and drops blanks", LIST, " a, ,b c ,", ["a", "b c"]],
    ["secretList() of nothing", LIST, ",", []],
    ["optional(origins())", ORIGINS, "https://a.b/, HTTP://[::1]:80,", [
      "https://a.b",
      "http://[::1]",
    ]],
    [
      "addressOf()",
      PATTERN,
      "https://a.b:8443/x?p={part}",
      "https://a.b:8443/x?p={part}",
    ],
    ["address()", ADDRESS, "127.0.0.1:0", { hostname: "127.0.0.1", port: 0 }],
    ["address() of this machine", ADDRESS, "LocalHost:1", {
      hostname: "127.0.0.1",
      port: 1,
    }],
    ["hostList()", hostList("X", { about }), "Hooks.Slack.com, a-b:8443,", [
      "hooks.slack.com",
      "a-b:8443",
    ]],
    ["address() at the last port", ADDRESS, "127.0.0.1:65535", {
      hostname: "127.0.0.1",
      port: 65535,
    }],
    ["address() of IPv6", ADDRESS, "[::1]:80", { hostname: "::1", port: 80 }],
    ["address() without a host", ADDRESS, ":80", {
      hostname: "0.0.0.0",
      port: 80,
    }],
    ["secret()", secret("X", { about }), "s3cret", "s3cret"],
    [
      "optional(secret())",
      optional(secret("X", { about })),
      "s3cret",
      "s3cret",
    ],
  ];
for (const word of ["1", "true", "YES", "On"]) {
  TAKEN.push([`flag()`, FLAG, word, true]);
}
for (const word of ["0", "false", "NO", "Off"]) {
  TAKEN.push([`flag()`, FLAG, word, false]);
}

for (const [what, setting, given, value] of TAKEN) {
  Deno.test(`${what} takes ${JSON.stringify(given)}`, () => {
    assertEquals(read({ setting }, { X: given }), { setting: value });
  });
}

const URL_EXPECTED = "an absolute URL with scheme and host";
const ONE_HOST = "a URL of one host, without commas or other marks in its name";
const NUMBER_EXPECTED = "a whole number from -2 to 9";
const REFUSED: [
  what: string,
  Setting<unknown>,
  text: string,
  expected: string,
][] = [
  ["url()", URL_SETTING, "127.0.0.1:8081", URL_EXPECTED],
  ["url()", URL_SETTING, "localhost:8081", URL_EXPECTED],
  ["url()", URL_SETTING, "mailto:a@b", URL_EXPECTED],
  ["url()", URL_SETTING, "http://", URL_EXPECTED],
  ["optional(url())", optional(url("X", { about })), "/path", URL_EXPECTED],
  ...[
    "nats://evil.example,nats:4222",
    "nats://evil.example%2Cnats:4222",
    "nats://*.example:4222",
    "nats://a b:4222",
    "http://evil.example,gateway:8081",
    "http://*:8081",
    "redis://evil.example;redis:6379",
    "foo://a..b",
  ].map((given): [string, Setting<unknown>, string, string] => [
    "url()",
    URL_SETTING,
    given,
    given.includes(" ") ? URL_EXPECTED : ONE_HOST,
  ]),
  ...[
    "https://a.b/",
    "/x?p={part}",
    "https://{part}/",
    "https://ada@a.b/{part}",
    "javascript:alert({part})",
    "redis://a.b/{part}",
    "https://a.b/{part} x",
    "https://a.b/{part}|x",
    "https://a.b/<{part}>",
    `https://a.b/{part}${"x".repeat(500)}`,
  ].map((given): [string, Setting<unknown>, string, string] => [
    "addressOf()",
    PATTERN,
    given,
    "an http or https URL with {part} after its host",
  ]),
  ["integer() below its minimum", NUMBER, "-3", NUMBER_EXPECTED],
  ["integer() above its maximum", NUMBER, "10", NUMBER_EXPECTED],
  ["integer()", NUMBER, "1.0", NUMBER_EXPECTED],
  ["integer()", NUMBER, "1e0", NUMBER_EXPECTED],
  ["integer()", NUMBER, "0x1", NUMBER_EXPECTED],
  ["integer()", NUMBER, "+1", NUMBER_EXPECTED],
  ["integer()", NUMBER, "0".repeat(15) + "1", NUMBER_EXPECTED],
  ["flag()", FLAG, "2", "1 or 0"],
  ["flag()", FLAG, "truely", "1 or 0"],
  ["oneOf()", WORD, "slacks", "one of artifact, slack"],
  ["text() that just does not match", NAME, "abcd", "a name"],
  ...["a.b", "a.b:443", "https://a.b/c", "https://a.b?c", "https://u@a.b"]
    .concat("ftp://a.b", "https://", "javascript:0", "https://a.b https://c.d")
    .map((given): [string, Setting<unknown>, string, string] => [
      "optional(origins())",
      ORIGINS,
      `https://ok.example, ${given}`,
      "origins such as https://wiki.example.com",
    ]),
  ["address()", ADDRESS, "h:1", "host:port with an address, not a name"],
  ...["*.slack.com", "https://h", "h:", "h:99999", "h.", "h/x", "u@h"].map((
    host,
  ): [string, Setting<unknown>, string, string] => [
    `hostList() of ${host}`,
    hostList("X", { about }),
    host,
    "host names, each with an optional :port, without scheme or *",
  ]),
  ["address()", ADDRESS, "h", "host:port"],
  ["address()", ADDRESS, "h:65536", "host:port"],
  ["address()", ADDRESS, "h:-1", "host:port"],
  ["address()", ADDRESS, "h h:1", "host:port"],
  ["address()", ADDRESS, "::1:80", "host:port"],
  ["address()", ADDRESS, "[]:80", "host:port"],
  ["address()", ADDRESS, "[host]:80", "host:port"],
];

for (const [what, setting, given, expected] of REFUSED) {
  Deno.test(`${what} refuses ${JSON.stringify(given)} without quoting it`, () => {
    assertEquals(problem({ setting }, { X: given }), `X must be ${expected}`);
  });
}

Deno.test("readConfig() names every problem in one line, and no value", () => {
  const settings = {
    natsUrl: url("NATS_URL", { about }),
    parallel: integer("PARALLEL", { about, min: 1, max: 2, fallback: 1 }),
    apiKey: secret("API_KEY", { about: "the gateway's key" }),
    token: optional(secret("TOKEN", { about })),
  };
  const env = { NATS_URL: "hunter2", PARALLEL: "3", TOKEN_FILE: "/nowhere" };
  assertEquals(
    problem(settings, env),
    "NATS_URL must be an absolute URL with scheme and host; " +
      "PARALLEL must be a whole number from 1 to 2; " +
      "API_KEY is required (the gateway's key); " +
      "TOKEN_FILE names a file that cannot be read",
  );
});

Deno.test("readConfig() gives each kind its fallback when nothing is set", () => {
  const settings = {
    url: url("A", { about, fallback: "http://h/" }),
    optionalUrl: optional(url("B", { about })),
    integer: integer("C", { about, min: 0, max: 9, fallback: 0 }),
    flag: flag("D", { about, fallback: false }),
    flagOn: flag("E", { about, fallback: true }),
    oneOf: oneOf("F", { about, values: ["a", "b"], fallback: "b" }),
    text: text("G", { about, fallback: "" }),
    list: hostList("H", { about, fallback: "a,b" }),
    address: address("I", { about, fallback: "127.0.0.1:1" }),
    secret: secret("J", { about, fallback: "s" }),
    optionalSecret: optional(secret("K", { about })),
  };
  assertEquals(read(settings, {}), {
    url: "http://h",
    optionalUrl: undefined,
    integer: 0,
    flag: false,
    flagOn: true,
    oneOf: "b" as const,
    text: "",
    list: ["a", "b"],
    address: { hostname: "127.0.0.1", port: 1 },
    secret: "s",
    optionalSecret: undefined,
  });
});

Deno.test("readConfig() takes empty and blank variables for unset ones", () => {
  const settings = {
    word: text("X", { about, fallback: "f" }),
    key: secret("Y", { about, fallback: "g" }),
  };
  const env = { X: "", Y: " \t", Y_FILE: " " };
  assertEquals(read(settings, env), { word: "f", key: "g" });
});

Deno.test("readConfig() drops the blanks around a value", () => {
  assertEquals(read({ setting: NUMBER }, { X: " 7\n" }), { setting: 7 });
});

Deno.test("readConfig() freezes the values, lists and addresses too", () => {
  const config = read({ list: LIST, address: ADDRESS }, { X: "127.0.0.1:1" });
  for (const value of [config, config.list, config.address]) {
    assert(Object.isFrozen(value));
  }
});

Deno.test("readConfig() lets a bug in a declaration through as it is", () => {
  const broken = { ...NAME, parse: () => JSON.parse("{") as string };
  assertThrows(() => read({ broken }, { X: "a" }), SyntaxError);
  const misdeclared = integer("X", { about, min: 1, max: 2, fallback: 3 });
  assertThrows(() => read({ misdeclared }, {}), RangeError, "from 1 to 2");
});

Deno.test("readConfig() reads a platform variable under both names", async (t) => {
  const gateway = url("CORETEX_GATEWAY_URL", { about });
  const both = {
    CORETEX_GATEWAY_URL: "http://old",
    CORDUM_GATEWAY_URL: "http://new",
  };
  await t.step("the documented one first", () => {
    assertEquals(read({ gateway }, both), { gateway: "http://old" });
  });
  await t.step("the other if that is empty", () => {
    const env = { ...both, CORETEX_GATEWAY_URL: "" };
    assertEquals(read({ gateway }, env), { gateway: "http://new" });
  });
  await t.step("and names the one that is wrong", () => {
    assertEquals(
      problem({ gateway }, { CORDUM_GATEWAY_URL: "x" }),
      "CORDUM_GATEWAY_URL must be an absolute URL with scheme and host",
    );
  });
  await t.step("or the documented one if both are missing", () => {
    assertEquals(
      problem({ gateway }, {}),
      `CORETEX_GATEWAY_URL is required (${about})`,
    );
  });
});

Deno.test("readConfig() reads a secret from the file that _FILE names", async (t) => {
  const settings = { key: secret("CORETEX_API_KEY", { about }) };
  await t.step("without the line break at its end", () => {
    const env = { CORETEX_API_KEY_FILE: "/run/key" };
    assertEquals(read(settings, env, { "/run/key": "s3cret\n" }), {
      key: "s3cret",
    });
  });
  await t.step("also under the platform's other name", () => {
    const env = { CORDUM_API_KEY_FILE: "/run/key" };
    assertEquals(read(settings, env, { "/run/key": "s3cret" }), {
      key: "s3cret",
    });
  });
  await t.step("not if the variable itself is set", () => {
    const env = { CORETEX_API_KEY: "direct", CORETEX_API_KEY_FILE: "/none" };
    assertEquals(read(settings, env), { key: "direct" });
  });
  await t.step("and takes an empty file for none", () => {
    const env = { CORETEX_API_KEY_FILE: "/run/key" };
    assertEquals(
      problem(settings, env, { "/run/key": " \n" }),
      `CORETEX_API_KEY is required (${about})`,
    );
  });
  await t.step("up to 65536 characters", () => {
    const env = { CORETEX_API_KEY_FILE: "/run/key" };
    const longest = "k".repeat(FILE_CHARS_MAX);
    assertEquals(read(settings, env, { "/run/key": longest }), {
      key: longest,
    });
    assertEquals(
      problem(settings, env, { "/run/key": longest + "k" }),
      "CORETEX_API_KEY_FILE names a file longer than 65536 characters",
    );
  });
});

Deno.test("readConfig() reads a longer file where the setting says so", () => {
  const charsMax = 100_000;
  const list = optional(fileContent("LIST", { about, charsMax }));
  const longest = "x".repeat(charsMax);
  const env = { LIST: "/run/list" };
  assertEquals(read({ list }, env, { "/run/list": longest }), {
    list: longest,
  });
  assertEquals(
    problem({ list }, env, { "/run/list": longest + "x" }),
    "LIST names a file longer than 100000 characters",
  );
});

Deno.test("readConfig() takes an empty key's file for none, an empty certificate's for a mistake", () => {
  const files = { "/run/pem": "\n" };
  const env = { PEM: "/run/pem" };
  const key = optional(fileContent("PEM", { about, secret: true }));
  assertEquals(read({ key }, env, files), { key: undefined });
  const certificate = optional(fileContent("PEM", { about }));
  assertEquals(
    problem({ certificate }, env, files),
    "PEM names an empty file",
  );
});

Deno.test("readConfig() reads no file for what is no secret", () => {
  const env = { X_FILE: "/run/x" };
  assertEquals(
    problem({ setting: NAME }, env, { "/run/x": "abc" }),
    `X is required (${about})`,
  );
});

Deno.test("readConfig() reads files with Deno unless told otherwise", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "from a file\n");
    const env: Record<string, string> = { KEY_FILE: path };
    const settings = { key: secret("KEY", { about }) };
    assertEquals(readConfig(settings, (name) => env[name]), {
      key: "from a file",
    });
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("alsoNamed() reads the other variable in its own form", async (t) => {
  const redis = alsoNamed(
    url("REDIS_URL", { about, fallback: "redis://default" }),
    "REDIS_ADDR",
    (address) => `redis://${address}`,
  );
  const REDIS: [Record<string, string>, string][] = [
    [{}, "redis://default"],
    [{ REDIS_ADDR: "h:1" }, "redis://h:1"],
    [{ REDIS_URL: "redis://u", REDIS_ADDR: "h:1" }, "redis://u"],
  ];
  for (const [env, expected] of REDIS) {
    await t.step(JSON.stringify(env), () => {
      assertEquals(read({ redis }, env), { redis: expected });
    });
  }
  await t.step("and names it when it is wrong", () => {
    assertEquals(
      problem({ redis }, { REDIS_ADDR: " /nonsense" }),
      "REDIS_ADDR must be an absolute URL with scheme and host",
    );
  });
});

Deno.test("variablesOf() lists every variable once, in order, with files for secrets", () => {
  const gateway = url("CORETEX_GATEWAY_URL", { about });
  const settings = {
    gateway,
    key: secret("CORETEX_API_KEY", { about }),
    name: NAME,
    again: gateway,
    redis: alsoNamed(url("REDIS_URL", { about }), "REDIS_ADDR", String),
  };
  assertEquals(variablesOf(settings), [
    "CORETEX_GATEWAY_URL",
    "CORDUM_GATEWAY_URL",
    "CORETEX_API_KEY",
    "CORETEX_API_KEY_FILE",
    "CORDUM_API_KEY",
    "CORDUM_API_KEY_FILE",
    "X",
    "REDIS_URL",
    "REDIS_ADDR",
  ]);
});

Deno.test("variablesOf() names everything that readConfig() reads", () => {
  const settings = {
    gateway: url("CORETEX_GATEWAY_URL", { about }),
    key: optional(secret("CORETEX_API_KEY", { about })),
    list: hostList("HOSTS", { about, fallback: "" }),
  };
  const asked: string[] = [];
  assertThrows(
    () => readConfig(settings, (name) => void asked.push(name)),
    ConfigError,
  );
  assertEquals(asked, variablesOf(settings));
});

Deno.test("secretsOf() gives secrets, and passwords in URLs in both spellings", () => {
  const settings = {
    key: secret("KEY", { about }),
    token: optional(secret("TOKEN", { about })),
    redis: url("REDIS_URL", { about }),
    nats: url("NATS_URL", { about }),
    odd: url("ODD_URL", { about }),
    hosts: {
      ...text("HOSTS", { about }),
      parse: (value: string) => value.split(","),
    },
    parallel: integer("PARALLEL", { about, min: 1, max: 9, fallback: 4 }),
  };
  const config = read(settings, {
    KEY: "s3cret",
    REDIS_URL: "redis://user:p%40ss@host:6379",
    NATS_URL: "nats://host:4222",
    ODD_URL: "http://user:100%25%@host",
    HOSTS: "hooks.slack.com,https://u:listed@host",
  });
  assertEquals(secretsOf(settings, config), [
    "s3cret",
    "p%40ss",
    "p@ss",
    "100%25%",
    "listed",
    "listed",
  ]);
});

Deno.test("someOf() takes some of its words, in their own order", () => {
  const setting = someOf("X", { about, values: ["a", "b", "c"] });
  const read = (value: string) =>
    readConfig({ words: setting }, () => value).words;
  assertEquals(read("c"), ["c"]);
  assertEquals(read(" c,, a ,c"), ["a", "c"]);
  for (const wrong of ["d", "a,d", ",", "A"]) {
    const error = assertThrows(() => read(wrong), ConfigError);
    assert(error.message.includes("some of a, b, c"), error.message);
  }
});
