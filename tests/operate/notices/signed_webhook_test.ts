/**
 * The signature of our own webhook, by the specification's own example.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import {
  readWebhookKey,
  signWebhook,
} from "../../../lib/operate/notices/signed_webhook.ts";

/** Of the reference implementations of Standard Webhooks. */
const KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const BODY = '{"test": 2432232314}';
const NOW_MS = 1614265330_999;
const SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

Deno.test("signWebhook() signs as Standard Webhooks do", async () => {
  const keys = [readWebhookKey(KEY)];
  assertEquals(await signWebhook(BODY, { id: ID, nowMs: NOW_MS, keys }), {
    "webhook-id": ID,
    "webhook-timestamp": "1614265330",
    "webhook-signature": SIGNATURE,
  });
});

Deno.test("signWebhook() signs with each key, the same key in either spelling", async () => {
  const keys = [KEY, KEY.replace("whsec_", "")].map(readWebhookKey);
  const signed = await signWebhook(BODY, { id: ID, nowMs: NOW_MS, keys });
  assertEquals(signed["webhook-signature"], `${SIGNATURE} ${SIGNATURE}`);
});

Deno.test("readWebhookKey() takes 24 to 64 bytes of base64 and quotes none", () => {
  const base64 = (bytes: number) => new Uint8Array(bytes).fill(7).toBase64();
  for (const bytes of [24, 64]) {
    assertEquals(readWebhookKey(base64(bytes)).length, bytes);
  }
  for (const text of [base64(23), base64(65), "no base64!", "whsec_", ""]) {
    assertThrows(
      () => readWebhookKey(text),
      RangeError,
      "base64 of 24 to 64 random bytes, with or without whsec_ in front",
    );
  }
});
