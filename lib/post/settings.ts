/**
 * The poster's own settings, beside the ones that every worker has.
 *
 * @module
 */
import {
  flag,
  hostList,
  integer,
  optional,
  secret,
  type Setting,
  text,
} from "../base/config.ts";
import { POST_MAX_AGE } from "./age.ts";
import { type PublicKey, readPublicKeys } from "./keys.ts";

const APPROVAL_KEYS: Setting<readonly PublicKey[]> = Object.freeze({
  ...text("APPROVAL_PUBLIC_KEYS", {
    about:
      "public keys, comma-separated; a post then needs an approval that one of them signed",
    fallback: "",
  }),
  parse: readPublicKeys,
});

/** Where posts may go, what they require and how long they may take. */
export const POST_SETTINGS = {
  slackWebhookUrl: optional(secret("SLACK_WEBHOOK_URL", {
    about: "Slack webhook for posts in slack mode",
  })),
  slackAllowedHosts: hostList("SLACK_ALLOWED_HOSTS", {
    about: "hosts that posts may go to, with a port if it is not 443",
    fallback: "hooks.slack.com",
  }),
  allowInputUrl: flag("POSTER_ALLOW_INPUT_URL", {
    about: "1 lets an incident bring its own webhook URL",
    fallback: false,
  }),
  requireApproval: flag("POSTER_REQUIRE_APPROVAL", {
    about:
      "0 posts without an approval; 1 posts only what a recorded approval released",
    fallback: true,
  }),
  approvalKeys: APPROVAL_KEYS,
  postTimeoutMs: integer("POST_TIMEOUT_MS", {
    about: "time limit for one post in ms, including waits that Slack asks for",
    fallback: 30_000,
    min: 1_000,
    max: 300_000,
  }),
  postSettleMs: integer("POST_SETTLE_MS", {
    about: "how long to wait for another poster's claim to settle, in ms",
    fallback: 60_000,
    min: 0,
    max: 600_000,
  }),
  postMaxAgeS: POST_MAX_AGE,
};

/** The settings of {@linkcode POST_SETTINGS}. */
export type PostSettings = typeof POST_SETTINGS;
