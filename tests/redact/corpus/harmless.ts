/**
 * Strings as alerts are full of them. Pure; the same on each run.
 *
 * @module
 */
import { encodeBase64 } from "./random.ts";
import type { Random } from "./random.ts";

const WORDS =
  "checkout payments ingress search mailer fraud orders billing cache worker proxy gateway catalog session auth token secret user report export sync"
    .split(" ");
const REGIONS = ["eu-west-1", "us-east-1", "europe-west4", "eastus2"];

/** Each makes one string of its kind. */
export const HARMLESS: Readonly<Record<string, (r: Random) => string>> = {
  UUIDs: (r) => r.uuid(),
  "SHA-1": (r) => r.of("0123456789abcdef", 40),
  "SHA-256": (r) => r.of("0123456789abcdef", 64),
  "times": (r) => new Date(1.7e12 + r.below(1e11)).toISOString(),
  "IPv4 addresses": (r) =>
    `10.${r.below(256)}.${r.below(256)}.${r.below(256)}:${r.below(65536)}`,
  "IPv6 addresses": (r) => `2001:db8::${r.hex(4)}:${r.hex(4)}:${r.hex(4)}`,
  "pod names": (r) =>
    `${r.pick(WORDS)}-${r.pick(WORDS)}-${
      r.of("bcdfghjklmnpqrstvwxz2456789", 10)
    }-${r.of("bcdfghjklmnpqrstvwxz2456789", 5)}`,
  "image digests": (r) =>
    `registry.example.com/${r.pick(WORDS)}@sha256:${r.hex(64)}`,
  "trace ids": (r) => `00-${r.hex(32)}-${r.hex(16)}-01`,
  versions: (r) =>
    `v${r.below(20)}.${r.below(40)}.${r.below(90)}-rc.${r.below(9)}+${
      r.hex(7)
    }`,
  paths: (r) =>
    `/var/lib/${r.pick(WORDS)}/${r.pick(WORDS)}-${r.hex(8)}/data.json`,
  PromQL: (r) =>
    `sum by (pod) (rate(${r.pick(WORDS)}_errors_total{job="${
      r.pick(WORDS)
    }",code=~"5.."}[5m])) > 0.${r.below(99)}`,
  "Kubernetes names": (r) =>
    `${r.pick(WORDS)}-${r.pick(WORDS)}.${r.pick(WORDS)}.svc.cluster.local`,
  "base64 of text": (r) =>
    encodeBase64(
      `${r.pick(WORDS)} of ${r.pick(WORDS)} is ${r.below(1000)} ms slower`,
    ),
  "build numbers": (r) =>
    `build-${r.below(1e6)}.${20260000 + r.below(1231)}.${r.below(99)}`,
  "plain numbers": (r) => `${r.below(1e9)}${r.below(1e6)}`,
  hostnames: (r) =>
    `ip-10-${r.below(256)}-${r.below(256)}-${r.below(256)}.${
      r.pick(REGIONS)
    }.compute.internal`,
  ARNs: (r) =>
    `arn:aws:sqs:${r.pick(REGIONS)}:${100000000000 + r.below(899999999999)}:${
      r.pick(WORDS)
    }-${r.pick(WORDS)}`,
  "message ids": (r) => `<${r.hex(12)}.${r.below(1e9)}@mail.example.com>`,
  metrics: (r) =>
    `${r.pick(WORDS)}_${r.pick(WORDS)}_duration_seconds_bucket{le="${
      r.below(10)
    }.5"} ${r.below(1e6)}`,
  "AWS resources": (r) =>
    `i-0${r.hex(16)} in subnet-${r.hex(17)} of vpc-${r.hex(8)}`,
  "git references": (r) =>
    `${r.pick(WORDS)}@${r.hex(7)} (feature/${r.pick(WORDS)}-${r.below(9999)})`,
  "ULIDs": (r) => r.of("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 26),
};

/** The texts that one such string stands in. */
export const HARMLESS_FRAMES: Readonly<
  Record<string, (text: string) => string>
> = {
  alone: (text) => text,
  sentence: (text) => `high latency at ${text} since 10:42`,
  assigned: (text) => `level=error id=${text} msg="slow"`,
  colon: (text) => `instance: ${text}`,
};
