import { assertEquals, assertThrows } from "@std/assert";
import {
  describeWhereto,
  findDestination,
  readDestinations,
} from "../../lib/operate/destinations.ts";
import { OperationError } from "../../lib/operate/errors.ts";
import { checkSigning } from "../../lib/operate/signing.ts";
import { writePublicKey } from "../../lib/post/keys.ts";
import { createKeys } from "../../lib/post/signature.ts";
import { readConfig } from "../../lib/base/config.ts";
import {
  publish,
  type Published,
  readPublished,
} from "../../lib/post/published.ts";
import { SETTINGS } from "../../workers/poster.ts";

const ID = "slack:0123456789abcdef";
const URL = "https://hooks.slack.com/services/T0/B0/notASecret";
const { signal } = new AbortController();

function published(
  workerId: string,
  slack?: { id: string; host: string },
  takesInputUrl = false,
): Published {
  const artifact = { id: "artifact", host: "artifact" };
  const modes = slack === undefined ? { artifact } : { artifact, slack };
  return { workerId, modes, takesInputUrl, keys: [] };
}

function told(
  posters: readonly Published[] | undefined,
  mode = "slack",
  ownWebhook = false,
): string | undefined {
  const whereto = findDestination({ mode, ownWebhook }, posters);
  return whereto && describeWhereto(whereto);
}

async function publishedBy(env: Record<string, string>): Promise<string> {
  const variables: Record<string, string> = {
    CORETEX_GATEWAY_URL: "http://127.0.0.1:1",
    CORETEX_API_KEY: "k",
    ...env,
  };
  const config = readConfig(SETTINGS, (name) => variables[name]);
  const { key, value } = await publish("poster-1", config);
  assertEquals(key, "incident-enricher:destination:poster-1");
  return value;
}

Deno.test("a poster publishes ids and hosts, never the URL", async () => {
  const value = await publishedBy({ SLACK_WEBHOOK_URL: URL });
  assertEquals(JSON.parse(value), {
    v: 1,
    worker_id: "poster-1",
    modes: {
      artifact: { id: "artifact", host: "artifact" },
      slack: { id: "slack:08eb4b5d465756df", host: "hooks.slack.com" },
    },
    input_url: false,
    keys: [],
  });
  assertEquals(value.includes("notASecret"), false);
  assertEquals(readPublished(value)?.workerId, "poster-1");
});

Deno.test("a poster publishes no webhook that it may not use", async () => {
  for (const env of [{}, { SLACK_WEBHOOK_URL: "https://evil.example/x" }]) {
    const read = readPublished(
      await publishedBy(env as Record<string, string>),
    );
    assertEquals(Object.keys(read!.modes), ["artifact"]);
  }
  const value = await publishedBy({ POSTER_ALLOW_INPUT_URL: "1" });
  assertEquals(readPublished(value)?.takesInputUrl, true);
});

Deno.test("a poster publishes the ids of the keys that may sign", async () => {
  const { public: key } = await createKeys({ id: "ada-1", name: "Ada" });
  const value = await publishedBy({
    APPROVAL_PUBLIC_KEYS: writePublicKey(key),
  });
  assertEquals(readPublished(value)?.keys, ["ada-1"]);
  const odd = value.replace('["ada-1"]', '["ok","a b",7]');
  assertEquals(readPublished(odd)?.keys, ["ok"]);
});

Deno.test("checkSigning() refuses what posters would, before it is approved", () => {
  const whereto = { known: false, why: "w" } as const;
  const open = published("a");
  const strict = { ...published("b"), keys: ["ada-1", "ada-2"] };
  const changing = { ...published("c"), keys: ["ada-2"] };
  const known = {
    known: true,
    mode: "artifact",
    id: "artifact",
    host: "",
  } as const;
  const check = (posters: Published[], keyId?: string) =>
    checkSigning({ whereto: known }, posters, keyId);
  check([]);
  check([open]);
  check([open, strict], "ada-1");
  check([strict, changing], "ada-2");
  const refused: [Published[], string | undefined, string][] = [
    [
      [open, strict],
      undefined,
      "b takes only signed approvals: set APPROVAL_S",
    ],
    [[open, strict], "eve", "b does not list the key eve; add its public line"],
    [[strict, changing], "ada-1", "c does not list the key ada-1"],
  ];
  for (const [posters, keyId, problem] of refused) {
    assertThrows(
      () => check(posters, keyId),
      OperationError,
      `The poster ${problem}`,
    );
  }
  assertThrows(
    () => checkSigning({ whereto }, [open], "ada-1"),
    OperationError,
    "nobody can tell where the post will go (w)",
  );
  checkSigning({ whereto }, [open], undefined);
  checkSigning({ whereto: undefined }, [strict], undefined); // No post.
});

Deno.test("readPublished() takes nothing else for a destination", () => {
  const read = (changes: object) =>
    readPublished(JSON.stringify({
      v: 1,
      worker_id: "p",
      modes: { slack: { id: ID, host: "hooks.slack.com" } },
      ...changes,
    }));
  assertEquals(read({})?.modes, { slack: { id: ID, host: "hooks.slack.com" } });
  for (const text of ["", "null", "[]", "{}"]) {
    assertEquals(readPublished(text), undefined);
  }
  for (const changes of [{ v: 2 }, { worker_id: "" }, { modes: [] }]) {
    assertEquals(read(changes), undefined);
  }
  const odd = [
    { id: "artifact", host: "hooks.slack.com" },
    { id: `${ID}0`, host: "hooks.slack.com" },
    { id: ID, host: "hooks.slack.com/ and all is well" },
    { id: ID, host: "a\u001b[2J" },
    { id: ID },
    null,
  ];
  for (const slack of odd) assertEquals(read({ modes: { slack } })?.modes, {});
});

Deno.test("findDestination() tells where a post will go, or why it cannot", () => {
  const slack = { id: ID, host: "hooks.slack.com" };
  const other = { id: "slack:fedcba9876543210", host: "hooks.slack.com" };
  const cannot = "cannot tell where it will go: ";
  const place = "Slack at hooks.slack.com, webhook 01234567";
  assertEquals(told([published("a", slack)]), place);
  assertEquals(told([published("a", slack), published("b", slack)]), place);
  assertEquals(told([published("a"), published("b", slack)]), place);
  assertEquals(
    told([published("a"), published("b", slack)], "artifact"),
    "an artifact on the platform",
  );
  assertEquals(
    told([published("a", slack), published("b", other)]),
    `${cannot}posters differ: a to ${place}; b to Slack at hooks.slack.com, webhook fedcba98`,
  );
  assertEquals(
    told([published("a")]),
    `${cannot}no poster has a webhook that it may use, so the post will wait for one`,
  );
  assertEquals(
    told([]),
    `${cannot}no poster says where it posts; it is down, or older`,
  );
  assertEquals(told(undefined), `${cannot}set REDIS_URL to see it`);
  assertEquals(
    told([published("a", slack)], "pigeon"),
    `${cannot}the incident asks for what no poster knows`,
  );
  assertEquals(told([published("a", slack)], ""), undefined);
  assertEquals(told([published("a", slack, true)]), place);
  // Only a poster that takes it makes an incident's own webhook count.
  assertEquals(told([published("a", slack)], "slack", true), place);
  assertEquals(
    told([published("a", slack, true)], "slack", true),
    `${cannot}the incident brings its own webhook`,
  );
});

Deno.test("readDestinations() reads each poster under its own key", async () => {
  const value = await publishedBy({ SLACK_WEBHOOK_URL: URL });
  const values = new Map([
    ["incident-enricher:destination:poster-2", value], // Of another poster.
    ["incident-enricher:destination:poster-1", value],
    ["incident-enricher:destination:gone", undefined],
    ["incident-enricher:destination:odd", "x"],
  ]);
  const read = await readDestinations({
    async *scan() {
      yield [...values.keys()];
    },
    read: (key) => Promise.resolve(values.get(key)),
  }, signal);
  assertEquals(read.map(({ workerId }) => workerId), ["poster-1"]);
});
