/**
 * Where people are told that something waits for approval, and when.
 *
 * @module
 */
import { hostWithPort, isLoopback } from "../../base/address.ts";
import {
  type Config,
  hostList,
  optional,
  secret,
  secretList,
  type Setting,
  text,
} from "../../base/config.ts";
import { ConfigError } from "../../base/errors.ts";
import { readWebhookKey } from "./signed_webhook.ts";

const REMINDERS_MAX = 5;
const MINUTES_MAX = 1_440;

const HOOK_KEYS = secretList("APPROVALS_HOOK_SECRET", {
  about:
    "key of its signature: whsec_ and base64; several, by commas, to rotate",
});

/** Texts, as other secrets are, that are known to be keys. */
const HOOK_SECRETS: Setting<readonly string[]> = Object.freeze({
  ...HOOK_KEYS,
  parse(text: string, name: string) {
    const keys = HOOK_KEYS.parse(text, name);
    keys.forEach((key) => readWebhookKey(key));
    return keys;
  },
});

/** Our own webhook; `approvals --watch` posts to it, too. */
export const HOOK_URL_SETTINGS = {
  hookUrl: optional(secret("APPROVALS_HOOK_URL", {
    about: "URL that each new approval is posted to as JSON",
  })),
  hookSecrets: HOOK_SECRETS,
};

const REMIND_MINUTES: Setting<readonly number[]> = Object.freeze({
  ...text("APPROVALS_REMIND_MIN", {
    about: "reminders after so many minutes, comma-separated; 0 sends none",
    fallback: "5,15",
  }),
  parse: readMinutes,
});

/** The settings of notices. */
export const NOTICE_SETTINGS = {
  slackNoticeUrl: optional(secret("APPROVALS_SLACK_WEBHOOK_URL", {
    about: "Slack webhook that is told of each approval that waits",
  })),
  ...HOOK_URL_SETTINGS,
  noticeHosts: hostList("APPROVALS_ALLOWED_HOSTS", {
    about: "hosts that notices may go to, with a port if it is not 443",
    fallback: "hooks.slack.com",
  }),
  remindMinutes: REMIND_MINUTES,
};

/** The settings of {@linkcode NOTICE_SETTINGS}. */
export type NoticeSettings = typeof NOTICE_SETTINGS;

/**
 * Refuses a webhook that the process may not reach, or that would send a notice
 * in the clear.
 *
 * @throws {ConfigError} Names the variable and never its value.
 */
export function checkNoticeUrls(
  { slackNoticeUrl, hookUrl, noticeHosts }: Config<NoticeSettings>,
): void {
  check("APPROVALS_SLACK_WEBHOOK_URL", slackNoticeUrl, noticeHosts);
  check("APPROVALS_HOOK_URL", hookUrl, noticeHosts);
}

function check(
  name: string,
  text: string | undefined,
  hosts: readonly string[],
): void {
  if (text === undefined) return;
  const url = URL.parse(text);
  const isPlain = url !== null && url.username === "" && url.password === "" &&
    (url.protocol === "https:" ||
      url.protocol === "http:" && isLoopback(url.hostname));
  if (!isPlain) {
    throw new ConfigError(
      `${name} must be an https URL without a user name in it; http only for this machine`,
    );
  }
  const withPort = hostWithPort(url);
  const allowed = hosts.includes(withPort) ||
    withPort.endsWith(":443") && hosts.includes(url.hostname);
  if (allowed) return;
  throw new ConfigError(
    `${name} names a host that APPROVALS_ALLOWED_HOSTS does not name`,
  );
}

/** @throws {RangeError} */
function readMinutes(text: string): readonly number[] {
  const items = text.split(",").map((item) => item.trim());
  const minutes = items.map((item) =>
    /^\d{1,4}$/.test(item) ? Number(item) : NaN
  );
  if (minutes.length === 1 && minutes[0] === 0) return Object.freeze([]);
  const inOrder = minutes.every((minute, at) =>
    minute > (at === 0 ? 0 : minutes[at - 1]!) && minute <= MINUTES_MAX
  );
  if (inOrder && minutes.length <= REMINDERS_MAX) return Object.freeze(minutes);
  throw new RangeError(
    `1 to ${REMINDERS_MAX} whole minutes, each more than the one before, at most ${MINUTES_MAX}; or 0`,
  );
}
