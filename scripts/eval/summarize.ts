/**
 * Runs the whole summarizer on a bundle, with artifacts that are kept here.
 *
 * @module
 */
import { readConfig } from "../../lib/base/config.ts";
import { parseJson } from "../../lib/base/json.ts";
import { createLog } from "../../lib/base/log.ts";
import type { EvidenceBundle, Summary } from "../../lib/incident.ts";
import { unescapeMrkdwn } from "../../lib/message/mrkdwn.ts";
import type { Message } from "../../lib/message/message.ts";
import { textsOf } from "./texts.ts";
import type { NewArtifact } from "../../lib/platform/context.ts";
import { SETTINGS, summarizeEvidence } from "../../workers/summarizer.ts";

/** What people would read. */
export interface Summarized {
  readonly summary: Summary;
  /** The stored summary, whole. */
  readonly markdown: string;
  /** The message's notification and blocks, as plain lines. */
  readonly message: string;
  readonly ms: number;
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

/** The worker's own verb, without a model. */
export const builtin: Summarizer = async (bundle, texts) => {
  const ids = new Map(
    bundle.evidence.map(({ artifact_ptr, id }) => [artifact_ptr, id ?? ""]),
  );
  const artifacts: NewArtifact[] = [];
  const started = performance.now();
  const summary = await summarizeEvidence({ evidence: bundle }, {
    job: {
      id: "case",
      topic: "job.incident-enricher.summarize",
      runId: "case",
      workflowId: "",
      tenantId: "default",
      traceId: "case",
      dryRun: false,
    },
    constraints: { redactionLevel: "standard" } as never,
    signal: new AbortController().signal,
    leftMs: () => Infinity,
    gateway: {
      putArtifact(artifact) {
        artifacts.push(artifact);
        return Promise.resolve(`redis://art:summary-${artifacts.length}`);
      },
      readArtifact: (pointer) =>
        Promise.resolve({
          content: texts.get(ids.get(pointer) ?? "") ?? "",
          contentType: "application/json",
        } as never),
      readJob: () => Promise.resolve({}),
    },
    store: {
      append: () => Promise.resolve(),
      list: () => Promise.resolve([]),
      latest: () => Promise.resolve([]),
      add: (_, by) => Promise.resolve(by),
    },
    settings: readConfig(SETTINGS, (name) => NOWHERE[name]),
    log: LOG,
    count: () => {},
    progress: () => {},
    constraintsWith: () => ({}) as never,
  });
  const ms = performance.now() - started;
  const contentOf = (kind: string) => {
    const found = artifacts.find(({ labels }) => labels?.["kind"] === kind);
    const content = found?.content ?? "";
    return typeof content === "string"
      ? content
      : new TextDecoder().decode(content);
  };
  const { text, blocks } = parseJson(contentOf("incident.message")) as Message;
  return {
    summary,
    markdown: contentOf("incident.summary"),
    message: [text, ...textsOf(blocks)].map(unescapeMrkdwn).join("\n"),
    ms,
  };
};
