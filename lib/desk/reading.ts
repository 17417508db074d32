/**
 * All that the page of one post shows.
 *
 * @module
 */
import { createHash } from "node:crypto";
import {
  isObject,
  type JsonObject,
  mapTexts,
  objectOf,
  stringOf,
} from "../base/json.ts";
import type { Claim, EvidenceBundle } from "../incident.ts";
import type { PageView } from "../message/page/view.ts";
import type { Message } from "../message/message.ts";
import { checkApproval } from "../operate/decide.ts";
import { OperationError } from "../operate/errors.ts";
import { look, type Looked } from "../operate/look.ts";
import type { Operator } from "../operate/operator.ts";
import { POST_TOPIC } from "../operate/pack.ts";
import type { Pieces } from "../operate/pieces.ts";
import type { Platform, WaitingJob } from "../operate/platform.ts";
import {
  type JobFacts,
  levelOf,
  readFacts,
  readMessage,
} from "../operate/proposal.ts";
import { startRedaction } from "../redact/redaction.ts";
import { compileCheck } from "../schema_check.ts";
import type { BoardSource } from "./board.ts";

/** What a model's checks dropped, as the summary tells it: bounded and redacted. */
export interface LeftOut {
  model: string;
  /** One clause on all of it; empty if everything is shown. */
  note: string;
  claims: { text: string; why: string }[];
  /** Of the audit record; empty if nothing was sent. */
  recordPtr: string;
}

/** What is known of one job. */
export interface Reading {
  record: JsonObject;
  facts: JobFacts;
  /** `undefined` if it does not wait any more. */
  waiting: { job: WaitingJob; looked: Looked } | undefined;
  message: Message | undefined;
  /** Of the message's bytes, if they could be read. */
  digest: string | undefined;
  /** Its evidence, as pages show it; `undefined` if it is no post of ours. */
  view: PageView | undefined;
  /** `undefined` if no model was asked. */
  leftOut: LeftOut | undefined;
  /** Of all that the page shows of its input and evidence. */
  evidenceDigest: string;
  /** Why it cannot be approved here and now, a sentence each without full stop. */
  obstacles: readonly string[];
  /** The steps of its run; `undefined` if they cannot be read. */
  run: JsonObject | undefined;
}

const checkBundle = compileCheck("EvidenceBundle");

/** @returns `undefined` if there is no such job. */
export async function readPost(
  operator: Operator,
  pieces: Pieces,
  { jobId, person, source }: {
    jobId: string;
    person: string;
    source: BoardSource;
  },
): Promise<Reading | undefined> {
  const { platform } = operator;
  const record = await platform.findJob(jobId);
  if (record === undefined) return undefined;
  const facts = readFacts(record);
  // Forms and links go by the record's id, so it has to be the one asked for.
  if (facts.jobId !== jobId) return undefined;
  const job = facts.state === "APPROVAL_REQUIRED"
    ? await findJob(operator, source, jobId)
    : undefined;
  const [looked, view, run] = await Promise.all([
    job && look(operator, job, record),
    readView(record, facts, pieces),
    facts.runId === ""
      ? undefined
      : platform.find(`/workflow-runs/${encodeURIComponent(facts.runId)}`),
  ]);
  const { message, digest } = looked?.proposal ??
    await readDecided(platform, facts);
  const waiting = job && looked && { job, looked };
  return {
    ...{ record, facts, waiting, message, digest, run },
    evidenceDigest: digestOf(record, view),
    view: typeof view === "string" ? undefined : view,
    leftOut: facts.topic === POST_TOPIC ? readLeftOut(record) : undefined,
    obstacles: looked === undefined ? [] : [
      ...await findObstacles(operator, looked),
      ...unreadable(facts, view),
      ...job?.submittedBy === person ? [OWN] : [],
    ],
  };
}

/** The message of a job that is over, if it is the one that its summary names. */
async function readDecided(
  platform: Platform,
  facts: JobFacts,
): Promise<Pick<Reading, "message" | "digest">> {
  const { message, digest } = await readMessage(platform, facts);
  const isIt = digest === facts.messageDigest;
  return { message: isIt ? message : undefined, digest };
}

/** Of the input as it is stored, and of pieces that it names without a digest. */
function digestOf(
  { context }: JsonObject,
  view: PageView | string | undefined,
): string {
  const hash = createHash("sha256").update(JSON.stringify(context ?? null));
  const texts = typeof view === "string" ? undefined : view?.texts;
  for (const { id, text, problem } of texts?.values() ?? []) {
    hash.update(JSON.stringify([id, text ?? null, problem ?? null]));
  }
  return hash.digest("hex");
}

const OWN =
  "You submitted this job yourself, and the platform lets nobody approve their own: somebody else has to";

/** A job as the list of approvals has it. */
async function findJob(
  { platform }: Operator,
  source: BoardSource,
  jobId: string,
): Promise<WaitingJob | undefined> {
  const known = source.find(jobId);
  if (known !== undefined) return known.job;
  // It has come since the desk last asked.
  return (await platform.waiting()).find((job) => job.jobId === jobId);
}

/** What the command line would refuse, in the same words. */
async function findObstacles(
  operator: Operator,
  looked: Looked,
): Promise<string[]> {
  try {
    await checkApproval(operator, looked);
    return [];
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return [error.message];
  }
}

/** Nobody approves what they cannot read to its end. */
function unreadable(
  { topic }: JobFacts,
  view: PageView | string | undefined,
): string[] {
  if (topic !== POST_TOPIC) return [];
  if (typeof view === "string") return [view];
  const missing = [...view?.texts.values() ?? []]
    .filter(({ problem }) => problem !== undefined);
  return missing.length === 0 ? [] : [
    `Its evidence cannot be read whole (${
      missing.map(({ id, problem }) => `${id}: ${problem}`).join("; ")
    }). Load the page again; if that does not help, reject it and start its run again`,
  ];
}

/**
 * The evidence of a post.
 *
 * @returns Why it cannot be shown, if others than our fetcher wrote it.
 */
async function readView(
  record: JsonObject,
  { topic, expired }: JobFacts,
  pieces: Pieces,
): Promise<PageView | string | undefined> {
  if (topic !== POST_TOPIC || expired) return undefined;
  const { evidence, summary } = objectOf(record["context"]) ?? {};
  const problem = checkBundle(evidence);
  if (problem !== undefined) {
    return `Its evidence does not have the form that it should have (${problem}), so it cannot be read whole`;
  }
  const given = evidence as EvidenceBundle;
  const level = levelOf(record);
  const { kept } = startRedaction({ level });
  const texts = await pieces.read(given.evidence);
  const { highlights, action_items, model, confidence, model_reading } =
    objectOf(summary) ?? {};
  const told = (place: "happened" | "model" | "next", claims: unknown) =>
    claimsOf(claims).map((claim) => ({
      ...claim,
      text: kept(claim.text),
      place,
    }));
  return {
    bundle: withTexts(given, kept),
    report: {
      claims: [
        ...told("happened", highlights),
        ...told("model", objectOf(model_reading)?.["claims"]),
        ...told("next", action_items),
      ],
    },
    texts: new Map(texts.map((text) => [text.id, text])),
    links: [],
    level,
    model: stringOf(model) || "builtin",
    confidence: typeof confidence === "number" ? confidence : 0,
    artifacts: [],
    openUrl: () => undefined,
    redact: kept,
  };
}

function readLeftOut(record: JsonObject): LeftOut | undefined {
  const summary = objectOf(objectOf(record["context"])?.["summary"]);
  const reading = objectOf(summary?.["model_reading"]);
  if (reading === undefined) return undefined;
  const { kept } = startRedaction({ level: levelOf(record) });
  const text = (value: unknown) => kept(stringOf(value));
  const { model, note, left_out, record_ptr } = reading;
  return {
    model: text(model),
    note: text(note),
    claims: (Array.isArray(left_out) ? left_out : []).filter(isObject)
      .slice(0, CLAIMS_MAX)
      .map(({ text: said, why }) => ({ text: text(said), why: text(why) })),
    recordPtr: POINTER.exec(stringOf(record_ptr))?.[0] ?? "",
  };
}

/** Redacted at the job's level once more, but for what names artifacts. */
function withTexts(
  bundle: EvidenceBundle,
  kept: (text: string) => string,
): EvidenceBundle {
  const redacted = mapTexts(bundle, kept);
  return {
    ...redacted,
    evidence: bundle.evidence.map((item, at) => ({
      ...item,
      title: redacted.evidence[at]!.title,
    })),
  };
}

const CLAIMS_MAX = 100;
const POINTER = /^redis:\/\/art:[\w.:-]{1,200}$/;

function claimsOf(value: unknown): Claim[] {
  return (Array.isArray(value) ? value : []).filter(isObject)
    .slice(0, CLAIMS_MAX).map(({ text, evidence }) => ({
      text: stringOf(text),
      evidence: (Array.isArray(evidence) ? evidence : []).filter((id) =>
        typeof id === "string" && /^E\d{1,4}$/.test(id)
      ),
    })).filter(({ text }) => text !== "");
}
