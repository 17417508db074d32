/**
 * The settings of notices.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { readConfig } from "../../../lib/base/config.ts";
import { ConfigError } from "../../../lib/base/errors.ts";
import {
  checkNoticeUrls,
  NOTICE_SETTINGS,
} from "../../../lib/operate/notices/settings.ts";

type Variables = Readonly<Record<string, string>>;

function read(variables: Variables) {
  return readConfig(NOTICE_SETTINGS, (name) => variables[name]);
}

function refuse(variables: Variables, words: string): void {
  const error = assertThrows(
    () => checkNoticeUrls(read(variables)),
    ConfigError,
  );
  assertEquals((error as ConfigError).message, words);
  assert(!(error as ConfigError).message.includes("s3cret"));
}

Deno.test("reminders come after 5 and 15 min unless they are said or switched off", () => {
  const minutes = (text: string) =>
    read({ APPROVALS_REMIND_MIN: text }).remindMinutes;
  assertEquals(minutes(""), [5, 15]);
  assertEquals(minutes("1, 30,1440"), [1, 30, 1440]);
  assertEquals(minutes("0"), []);
  for (
    const text of ["5,5", "15,5", "0,5", "1441", "1.5", "x", "1,2,3,4,5,6"]
  ) {
    assertThrows(
      () => minutes(text),
      ConfigError,
      "APPROVALS_REMIND_MIN must be",
    );
  }
});

Deno.test("notices go by https to hosts that are allowed, by http to this machine only", () => {
  const slack = (url: string, hosts = "") =>
    ({
      APPROVALS_SLACK_WEBHOOK_URL: url,
      APPROVALS_ALLOWED_HOSTS: hosts,
    }) as Variables;
  const good: Variables[] = [
    {},
    slack("https://hooks.slack.com/services/s3cret"),
    slack("https://hooks.slack.com:443/services/s3cret"),
    slack("https://a.example/s3cret", "a.example:443"),
    slack("https://a.example:8443/s3cret", "a.example:8443"),
    slack("http://127.0.0.1:9000/s3cret", "127.0.0.1:9000"),
    {
      APPROVALS_HOOK_URL: "https://hook.example/s3cret",
      APPROVALS_ALLOWED_HOSTS: "hooks.slack.com,hook.example",
    },
  ];
  for (const variables of good) checkNoticeUrls(read(variables));
  const plain = (name: string) =>
    `${name} must be an https URL without a user name in it; http only for this machine`;
  const foreign = (name: string) =>
    `${name} names a host that APPROVALS_ALLOWED_HOSTS does not name`;
  const name = "APPROVALS_SLACK_WEBHOOK_URL";
  refuse(slack("s3cret"), plain(name));
  refuse(slack("http://a.example/s3cret", "a.example:80"), plain(name));
  refuse(slack("https://u:s3cret@hooks.slack.com/"), plain(name));
  refuse(slack("https://evil.example/s3cret"), foreign(name));
  refuse(slack("https://a.example:8443/s3cret", "a.example"), foreign(name));
  refuse(slack("http://127.0.0.1:9000/s3cret"), foreign(name));
  refuse(
    { APPROVALS_HOOK_URL: "https://evil.example/s3cret" },
    foreign("APPROVALS_HOOK_URL"),
  );
});

Deno.test("a key of the hook that is none is refused without its value", () => {
  assertThrows(
    () => read({ APPROVALS_HOOK_SECRET: "whsec_s3cret" }),
    ConfigError,
    "APPROVALS_HOOK_SECRET must be base64 of 24 to 64 random bytes, with or without whsec_ in front",
  );
});
