/**
 * An incident whose evidence a model may read, and a summarizer that has it.
 *
 * @module
 */
import { KEY, type ModelStandIn } from "../../deploy/standins/llm.ts";
import { optional } from "../../lib/base/json.ts";
import { buildBundle } from "../../lib/evidence/bundle.ts";
import type { EvidenceBundle, NormalizedContext } from "../../lib/incident.ts";
import { decodeMessage } from "../../lib/message/message.ts";
import { renderText } from "../../lib/message/text.ts";
import type {
  JobGateway,
  JobStore,
  TokenBudget,
} from "../../lib/platform/context.ts";
import type { Findings } from "../../lib/sources/source.ts";
import { SETTINGS, summarizeEvidence } from "../../workers/summarizer.ts";
import { fakeContext, type FakeOptions } from "./job_context.ts";

const NOW = new Date("2026-01-15T09:40:00Z");

/** Pieces by their kinds; values become JSON. */
export type Pieces = Readonly<Record<string, unknown>>;

/** Replication of a database lags after a release. */
export const PIECES: Pieces = {
  "incident.raw": {
    alerts: [{
      labels: { alertname: "ReplicationLag", instance: "db-1.prod" },
      annotations: { summary: "Replication of db-1.prod lags by 212 s" },
      startsAt: "2026-01-15T09:29:00Z",
    }],
  },
  "prometheus.value": {
    metric: "pg_replication_lag_seconds",
    says: "lag of db-1.prod is 212 s, limit 30 s, crossed at 09:29:10",
  },
  "github.deployments": {
    deployments: [{
      repository: "shop/orders-api",
      version: "v2.14.0",
      says: "Deployed orders-api v2.14.0",
      at: "2026-01-15T09:21:00Z",
    }, {
      version: "v2.15.0",
      says: "Deployed orders-api v2.15.0",
      at: "2026-01-15T09:33:00Z",
    }],
  },
  "loki.errors": {
    lines: [
      "write stalled for 41 s on db-1.prod",
      "connection pool of orders-api holds 398 of 400 connections",
    ],
  },
};

const CONTEXT: NormalizedContext = {
  title: "ReplicationLag on db-1.prod",
  severity: "critical",
  service: "orders-db",
  occurred_at: "2026-01-15T09:29:00Z",
  source: { system: "alertmanager" },
  timeline: [{
    at: "2026-01-15T09:21:00Z",
    text: "Deployed orders-api v2.14.0",
    kind: "change",
    evidence: ["github.deployments"],
  }, {
    at: "2026-01-15T09:33:00Z",
    text: "Deployed orders-api v2.15.0",
    kind: "change",
    evidence: ["github.deployments"],
  }],
};

/** A bundle and its artifacts. */
export interface ModelCase {
  bundle: EvidenceBundle;
  stored: ReadonlyMap<string, Uint8Array>;
}

/** Stores pieces as the fetcher does. */
export async function caseOf(
  pieces: Pieces = PIECES,
  findings: Partial<Findings> = {},
): Promise<ModelCase> {
  const stored = new Map<string, Uint8Array>();
  const bundle = await buildBundle("alertmanager:1", {
    pieces: Object.entries(pieces).map(([kind, value]) => ({
      name: kind,
      kind: kind.replace(/#\d+$/, ""),
      title: `Evidence of ${kind}`,
      content: JSON.stringify(value, null, 2),
      contentType: "application/json",
    })),
    context: CONTEXT,
    gaps: [{
      what: "notes of the incident",
      why: "PagerDuty answered 403",
      kind: "refused",
    }],
    ...findings,
  }, {
    now: NOW,
    put(_, content) {
      const pointer = `redis://art:piece-${stored.size + 1}`;
      stored.set(pointer, content);
      return Promise.resolve(pointer);
    },
  });
  return { bundle, stored };
}

/** The settings for a stand-in that speaks one of the three wire shapes. */
export function envOf(
  { url }: Pick<ModelStandIn, "url">,
  provider = "openai",
): Record<string, string> {
  return {
    LLM_PROVIDER: provider,
    LLM_TIMEOUT_MS: "2000",
    OPENAI_API_KEY: KEY,
    OPENAI_MODEL: "test-1",
    OPENAI_BASE_URL: `${url}/v1`,
    OLLAMA_URL: url,
    OLLAMA_MODEL: "test-1:3b",
    ANTHROPIC_API_KEY: KEY,
    ANTHROPIC_MODEL: "test-1",
    ANTHROPIC_BASE_URL: url,
  };
}

/** What the summarizer is given beside its bundle. */
export interface CaseOptions extends FakeOptions {
  leftMs?: () => number;
  tokens?: TokenBudget;
  /** What Redis has counted. */
  numbers?: Iterable<[string, number]>;
  add?: JobStore["add"];
  /** Replaces the gateway. */
  gateway?: (own: JobGateway) => JobGateway;
}

/** Summarizes a case as the worker does, and returns what people get to see. */
export async function summarizeCase(
  { bundle, stored }: ModelCase,
  { leftMs, tokens, numbers = [], add, gateway, ...options }: CaseOptions = {},
) {
  const fake = fakeContext(SETTINGS, options);
  for (const [key, number] of numbers) fake.numbers.set(key, number);
  const context = {
    ...fake.context,
    ...optional("leftMs", leftMs),
    ...optional("tokens", tokens),
    gateway: gateway?.(fake.context.gateway) ?? fake.context.gateway,
    store: { ...fake.context.store, ...optional("add", add) },
  };
  const given = [...stored].map(([pointer, bytes]) =>
    [pointer, { bytes, contentType: "", retention: "", labels: {} }] as const
  );
  for (const [pointer, artifact] of given) {
    fake.artifacts.set(pointer, artifact);
  }
  const summary = await summarizeEvidence({ evidence: bundle }, context);
  const read = (pointer: string) => fake.artifacts.get(pointer)!;
  const text = (pointer: string) =>
    new TextDecoder().decode(read(pointer).bytes);
  const message = decodeMessage(read(summary.message_ptr!).bytes);
  const record = [...fake.artifacts.values()].find(({ labels }) =>
    labels["kind"] === "incident.model"
  );
  return {
    ...fake,
    summary,
    markdown: text(summary.artifact_ptr!),
    messageJson: text(summary.message_ptr!),
    message,
    lines: renderText(message.blocks, { columns: 1e9, colour: false })
      .map((line) => line.slice(2)).filter((line) => line !== ""),
    record: record && JSON.parse(new TextDecoder().decode(record.bytes)),
  };
}
