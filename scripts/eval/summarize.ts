/**
 * Runs the whole summarizer on a bundle, with artifacts that are kept here.
 *
 * @module
 */
import { readConfig, variablesOf } from "../../lib/base/config.ts";
import {
  isObject,
  type JsonObject,
  objectOf,
  parseJson,
  stringOf,
} from "../../lib/base/json.ts";
import { createLog } from "../../lib/base/log.ts";
import type { EvidenceBundle, Summary } from "../../lib/incident.ts";
import type { Message } from "../../lib/message/message.ts";
import { unescapeMrkdwn } from "../../lib/message/block_kit.ts";
import { readRecordedConstraints } from "../../lib/platform/constraints.ts";
import type { JobContext, NewArtifact } from "../../lib/platform/context.ts";
import { providerOf } from "../../lib/summary/model/providers.ts";
import { MODEL_SETTINGS } from "../../lib/summary/settings.ts";
import { SETTINGS, summarizeEvidence } from "../../workers/summarizer.ts";
import { textsOf } from "./texts.ts";

/** What people would read. */
export interface Summarized {
  readonly summary: Summary;
  /** The stored summary, whole. */
  readonly markdown: string;
  /** The message's notification and blocks, as plain lines. */
  readonly message: string;
  readonly ms: number;
  /** What a model was asked and said, if one is set up. */
  readonly asked?: Asked;
}

/** A model's part in a summary. */
export interface Asked {
  /** `read`, or why nothing of it could be used. */
  readonly outcome: string;
  /** What it answered, as it came. */
  readonly received: string;
  readonly kept: readonly string[];
  /** Why each of the others was dropped. */
  readonly dropped: readonly string[];
  /** In and out, as its server counted them. */
  readonly tokens: number;
}

/** Makes a summary of a bundle; `texts` holds each piece whole, by its id. */
export type Summarizer = (
  bundle: EvidenceBundle,
  texts: ReadonlyMap<string, string>,
) => Promise<Summarized>;

const LOG = createLog({}, { level: "error", write: () => {} });
/** Required by the platform's settings, and never called. */
const NOWHERE: Readonly<Record<string, string>> = {
  CORETEX_GATEWAY_URL: "http://127.0.0.1:1",
  CORETEX_API_KEY: "none",
};
/** A policy's that asks for nothing. */
const CONSTRAINTS = readRecordedConstraints({});
const OF_MODELS = new Set(variablesOf(MODEL_SETTINGS));

/** The worker's own verb, without a model. */
export const builtin: Summarizer = summarizeWith(() => undefined);

/** The worker's own verb, with the model that these variables set up. */
export function summarizeWith(
  env: (name: string) => string | undefined,
): Summarizer {
  return async (bundle, texts) => {
    const artifacts: NewArtifact[] = [];
    const context = contextOf(
      (name) => OF_MODELS.has(name) ? env(name) : NOWHERE[name],
      { artifacts, bundle, texts },
    );
    const started = performance.now();
    const summary = await summarizeEvidence({ evidence: bundle }, context);
    const ms = performance.now() - started;
    const contentOf = (kind: string) => {
      const { content = "" } =
        artifacts.find(({ labels }) => labels?.["kind"] === kind) ?? {};
      return typeof content === "string"
        ? content
        : new TextDecoder().decode(content);
    };
    const message = parseJson(contentOf("incident.message")) as Message;
    const record = parseJson(contentOf("incident.model"));
    return {
      summary,
      markdown: contentOf("incident.summary"),
      message: [message.text, ...textsOf(message.blocks)].map(unescapeMrkdwn)
        .join("\n"),
      ms,
      ...providerOf(context.settings) === undefined
        ? {}
        : { asked: readRecord(objectOf(record) ?? {}) },
    };
  };
}

function contextOf(
  env: (name: string) => string | undefined,
  { artifacts, bundle, texts }: {
    artifacts: NewArtifact[];
    bundle: EvidenceBundle;
    texts: ReadonlyMap<string, string>;
  },
): JobContext<typeof SETTINGS> {
  const ids = new Map(
    bundle.evidence.map(({ artifact_ptr, id }) => [artifact_ptr, id ?? ""]),
  );
  let counted = 0;
  return {
    job: {
      id: "case",
      topic: "job.incident-enricher.summarize",
      runId: "case",
      workflowId: "",
      tenantId: "default",
      traceId: "case",
      dryRun: false,
    },
    constraints: CONSTRAINTS,
    signal: new AbortController().signal,
    leftMs: () => Infinity,
    gateway: {
      putArtifact(artifact) {
        artifacts.push(artifact);
        return Promise.resolve(`redis://art:summary-${artifacts.length}`);
      },
      readArtifact: (pointer) =>
        Promise.resolve({
          bytes: new TextEncoder().encode(
            texts.get(ids.get(pointer) ?? "") ?? "",
          ),
          contentType: "application/json",
          retention: "standard",
          labels: {},
        }),
      readJob: () => Promise.resolve({}),
    },
    store: {
      append: () => Promise.resolve(),
      list: () => Promise.resolve([]),
      latest: () => Promise.resolve([]),
      add: (_, count) => Promise.resolve(counted += count),
    },
    settings: readConfig(SETTINGS, env),
    log: LOG,
    count: () => {},
    progress: () => {},
    constraintsWith: () => CONSTRAINTS,
  };
}

/** From the audit record; an empty one means that nothing was sent. */
function readRecord(record: JsonObject): Asked {
  const list = (name: string, field: string) =>
    (Array.isArray(record[name]) ? record[name] as unknown[] : [])
      .filter(isObject).map((one) => stringOf(one[field]));
  const { input = 0, output = 0 } = (objectOf(record["tokens"]) ?? {}) as {
    input?: number;
    output?: number;
  };
  return {
    outcome: stringOf(record["outcome"]) || "not asked",
    received: stringOf(record["received"]),
    kept: list("kept", "text"),
    dropped: list("dropped", "reason"),
    tokens: input + output,
  };
}
