import { assertEquals } from "@std/assert";
import { JobError } from "../../lib/base/errors.ts";
import {
  type GatewayError,
  readAnswer,
} from "../../lib/platform/gateway_error.ts";
import { StoreError } from "../../lib/platform/store.ts";
import { type TroubleCode, troubleOf } from "../../lib/platform/trouble.ts";

/** The error that an answer of the gateway, or of what is before it, leads to. */
function answered(status: number, body = ""): GatewayError {
  try {
    readAnswer("GET /x", {
      outcome: "answered",
      status,
      headers: new Headers(),
      body: new TextEncoder().encode(body),
    });
  } catch (error) {
    return error as GatewayError;
  }
  throw new Error(`${status} is a good answer`);
}

function unanswered(
  outcome: "not sent" | "unknown",
  reason: string,
): GatewayError {
  try {
    readAnswer("GET /x", { outcome, reason });
  } catch (error) {
    return error as GatewayError;
  }
  throw new Error("no answer is a good one");
}

const CASES: [what: string, error: unknown, ours: TroubleCode | undefined][] = [
  ["a wrong key", answered(401, "unauthorized\n"), "GATEWAY_UNAVAILABLE"],
  [
    "a key that may not do this",
    answered(403, '{"error":"no","code":"access_denied","status":403}'),
    "GATEWAY_UNAVAILABLE",
  ],
  [
    "another tenant's key",
    answered(403, "tenant access denied\n"),
    "GATEWAY_UNAVAILABLE",
  ],
  ["a firewall", answered(403, "<html>Denied</html>"), "GATEWAY_UNAVAILABLE"],
  ["too many requests", answered(429, "slow down\n"), "GATEWAY_UNAVAILABLE"],
  ["too slow a request", answered(408), "GATEWAY_UNAVAILABLE"],
  ["a failure", answered(500, "redis: closed\n"), "GATEWAY_UNAVAILABLE"],
  ["a route that is not there", answered(501), "GATEWAY_UNAVAILABLE"],
  ["a proxy's page", answered(502, "<html>"), "GATEWAY_UNAVAILABLE"],
  ["an outage", answered(503), "GATEWAY_UNAVAILABLE"],
  ["a proxy's timeout", answered(504), "GATEWAY_UNAVAILABLE"],
  ["a redirect", answered(307, "<a href=/x>"), "GATEWAY_UNAVAILABLE"],
  ["a log-in page", answered(200, "<html>"), "GATEWAY_UNAVAILABLE"],
  [
    "a router that has no route",
    answered(404, "404 page not found\n"),
    "GATEWAY_UNAVAILABLE",
  ],
  [
    "another service's 404",
    answered(404, '{"detail":"Not Found"}'),
    "GATEWAY_UNAVAILABLE",
  ],
  [
    "a proxy that objects to the request",
    answered(400, "<html>The plain HTTP request was sent to HTTPS port"),
    "GATEWAY_UNAVAILABLE",
  ],
  [
    "a connection refused",
    unanswered("not sent", "connection refused"),
    "GATEWAY_UNAVAILABLE",
  ],
  [
    "no answer in time",
    unanswered("unknown", "no answer within 10000 ms"),
    "GATEWAY_UNAVAILABLE",
  ],
  [
    "Redis out of reach",
    new StoreError("unavailable", "Redis is unavailable: closed"),
    "STORE_UNAVAILABLE",
  ],
  [
    "a Redis password that has changed",
    new StoreError("refused", "Redis refused: NOAUTH Authentication required"),
    "STORE_UNAVAILABLE",
  ],
  [
    "a Redis whose disk is full",
    new StoreError("refused", "Redis refused: MISCONF Redis is configured to"),
    "STORE_UNAVAILABLE",
  ],

  ["no such job", answered(404, "job not found\n"), undefined],
  [
    "no such artifact",
    answered(404, '{"error":"no artifact","code":"not_found","status":404}'),
    undefined,
  ],
  ["a bad pointer", answered(400, "invalid pointer\n"), undefined],
  ["too large an artifact", answered(413, "too large\n"), undefined],
  [
    "a pointer to something else",
    answered(500, "WRONGTYPE Operation against a key\n"),
    undefined,
  ],
  [
    "an artifact that is too long",
    unanswered("unknown", "body is longer than 10 bytes"),
    undefined,
  ],
  [
    "a key that holds something else",
    new StoreError("refused", "Redis refused: WRONGTYPE Operation against"),
    undefined,
  ],
  ["an input that is too long", new StoreError("too large", "x"), undefined],
  ["a refusal", new JobError("NOT_APPROVED", "x"), undefined],
  ["a bug", new TypeError("x is undefined"), undefined],
  ["something else", "oops", undefined],
];

for (const [what, error, ours] of CASES) {
  Deno.test(`troubleOf() finds ${ours ?? "the job at fault"} for ${what}`, () => {
    assertEquals(troubleOf(error), ours);
  });
}
