/**
 * Benchmark of a summary: the largest bundle that a fetcher makes, from its
 * pieces to the stored page, on one core.
 *
 * @module
 */
import { readConfig } from "../../../lib/base/config.ts";
import { bytesOf, sha256Hex } from "../../../lib/base/digest.ts";
import { createLog } from "../../../lib/base/log.ts";
import { PIECE_BYTES_MAX, PIECES_MAX } from "../../../lib/evidence/bundle.ts";
import type { EvidenceBundle, Summary } from "../../../lib/incident.ts";
import type { JobContext } from "../../../lib/platform/context.ts";
import { SETTINGS, summarizeEvidence } from "../../../workers/summarizer.ts";

/** What a round took. */
export interface SummaryResult {
  pieces: number;
  pieceKib: number;
  /** The median of all rounds. */
  ms: number;
  pageKib: number;
}

/** What it is meant to take. */
export const AIM_MS = 300;
/** A busy machine is no failure. */
const MS_MAX = 2 * AIM_MS;
const ROUNDS = 5;

/** Says what is wrong with a result. */
export function findSlow({ ms }: SummaryResult): string[] {
  return ms <= MS_MAX
    ? []
    : [`a summary took ${ms.toFixed(0)} ms, at most ${MS_MAX} ms`];
}

/** Summarises a bundle of pieces as long as they may be. */
export async function benchSummary(
  { pieces = PIECES_MAX, pieceBytes = PIECE_BYTES_MAX, rounds = ROUNDS } = {},
): Promise<SummaryResult> {
  const answers = new Map<string, string>();
  const bundle = await makeBundle(pieces, pieceBytes, answers);
  const times: number[] = [];
  let pageBytes = 0;
  // The first one compiles.
  for (let round = 0; round <= rounds; round++) {
    const stored = new Map<string, Uint8Array>();
    const context = contextOf(answers, stored);
    const start = performance.now();
    const summary = await summarizeEvidence({ evidence: bundle }, context);
    if (round > 0) times.push(performance.now() - start);
    pageBytes = pageOf(summary, stored).length;
  }
  return {
    pieces,
    pieceKib: pieceBytes / 1024,
    ms: times.toSorted((a, b) => a - b)[times.length >> 1]!,
    pageKib: pageBytes / 1024,
  };
}

function pageOf(
  { page_ptr }: Summary,
  stored: ReadonlyMap<string, Uint8Array>,
): Uint8Array {
  const page = stored.get(page_ptr ?? "");
  if (page === undefined) throw new Error("No page was stored");
  return page;
}

/** A job whose gateway keeps everything in memory. */
function contextOf(
  answers: ReadonlyMap<string, string>,
  stored: Map<string, Uint8Array>,
): JobContext<typeof SETTINGS> {
  const variables: Record<string, string> = {
    CORETEX_GATEWAY_URL: "http://127.0.0.1:1",
    CORETEX_API_KEY: "bench-key",
  };
  const constraints = {
    redactionLevel: "standard",
    artifactBytesMax: 8 * 1024 * 1024,
    networkAllowlist: undefined,
    runtimeMsMax: undefined,
  } as const;
  const about = { contentType: "", retention: "audit", labels: {} };
  const never = () => Promise.reject(new Error("A summary needs no more"));
  return {
    job: {
      id: "run:summarize@1",
      topic: "job.incident-enricher.summarize",
      runId: "run",
      workflowId: "incident-enricher.enrich",
      tenantId: "default",
      traceId: "run",
      dryRun: false,
    },
    constraints,
    constraintsWith: () => constraints,
    signal: new AbortController().signal,
    leftMs: () => Infinity,
    settings: readConfig(SETTINGS, (name) => variables[name]),
    log: createLog({}, { write() {} }),
    count() {},
    progress() {},
    gateway: {
      putArtifact({ content }) {
        const pointer = `redis://art:${stored.size}`;
        stored.set(pointer, bytesOf(content));
        return Promise.resolve(pointer);
      },
      readArtifact(pointer) {
        // As an answer of the gateway is read.
        const answer = JSON.parse(answers.get(pointer)!) as { content: string };
        return Promise.resolve({
          ...about,
          bytes: Uint8Array.fromBase64(answer.content),
        });
      },
      readJob: never,
    },
    store: { append: never, list: never, latest: never, add: never },
  };
}

/** Every piece a webhook, a log or a list of changes, each cited by a fact. */
async function makeBundle(
  count: number,
  pieceBytes: number,
  answers: Map<string, string>,
): Promise<EvidenceBundle> {
  const evidence: EvidenceBundle["evidence"] = [];
  for (let at = 0; at < count; at++) {
    const text = at % 2 === 0 ? json(at) : log(at);
    const whole = text.repeat(Math.ceil(pieceBytes / text.length));
    const bytes = new TextEncoder().encode(whole).subarray(0, pieceBytes);
    const pointer = `redis://art:piece-${at}`;
    answers.set(pointer, JSON.stringify({ content: bytes.toBase64() }));
    evidence.push({
      id: `E${at + 1}`,
      kind: at % 2 === 0 ? "github.deployments" : "loki.errors",
      title: `Piece ${at + 1}`,
      artifact_ptr: pointer,
      content_type: at % 2 === 0 ? "application/json" : "text/plain",
      bytes: bytes.length,
      sha256: await sha256Hex(bytes),
      shortened: true,
    });
  }
  const kinds = ["metric", "log", "state", "history", "alert"] as const;
  return {
    incident_id: "alertmanager:bench",
    collected_at: "2026-02-03T04:10:00.000Z",
    evidence,
    normalized_context: {
      title: "Queue of outgoing mail is long",
      severity: "critical",
      service: "mail-out",
      source: { system: "alertmanager" },
      occurred_at: "2026-02-03T04:02:00.000Z",
      alerts: {
        firing: 40,
        resolved: 0,
        groups: Array.from({ length: 20 }, (_, at) => ({
          name: `QueueLong${at}`,
          severity: "critical" as const,
          count: 2,
          since: "2026-02-03T04:02:00.000Z",
          where: ["mail-out-1", "mail-out-2"],
          says: `item ${at * 7} of the queue waits for ${at} minutes`,
          evidence: [`E${at % count + 1}`],
        })),
      },
      facts: Array.from({ length: 50 }, (_, at) => ({
        name: `fact ${at}`,
        value: `step ${at} took ${at * 3} s and says relay refused`,
        kind: kinds[at % kinds.length]!,
        evidence: [`E${at % count + 1}`],
      })),
      timeline: Array.from({ length: 50 }, (_, at) => ({
        at: new Date(Date.UTC(2026, 1, 3, 3, at)).toISOString(),
        text: `bo deployed mail-out v7.${at} to production`,
        kind: "change" as const,
        evidence: [`E${at % count + 1}`],
      })),
    },
  };
}

function json(at: number): string {
  return JSON.stringify(
    Array.from({ length: 200 }, (_, item) => ({
      sha: (at * 7919 + item).toString(16).padStart(40, "0"),
      ref: `v7.${item}`,
      creator: { login: `bo-${item}`, mail: `bo${item}@mail.example` },
      message: `Wait longer for a relay (#${item}) & retry <twice>`,
    })),
    null,
    2,
  );
}

function log(at: number): string {
  // In one long line, the search for words costs most.
  const end = at % 10 === 1 ? " " : "\n";
  return Array.from(
    { length: 400 },
    (_, line) =>
      `2026-02-03T04:0${line % 10}:00Z level=error step=${line} msg="relay ${
        (at + line) % 97
      } refused: 451 try again in ${line} s" user=u${line} token_count=${line}`,
  ).join(end);
}
