/**
 * What the desk shows. Nothing here changes anything.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { messageOf, OutsideError } from "../base/errors.ts";
import { readEnd } from "../operate/approvals.ts";
import {
  type Decision,
  isRecorded,
  readDecisions,
} from "../operate/decisions.ts";
import { events, file, page } from "./answer.ts";
import type { Board } from "./board.ts";
import { subjectOf } from "./deciding.ts";
import type { Desk } from "./parts.ts";
import { decidedPage } from "./pages/decided.ts";
import { listPage, rowsOf } from "./pages/list.ts";
import { namePage } from "./pages/name.ts";
import { postPage } from "./pages/post.ts";
import type { Person } from "./people.ts";
import { type Reading, readPost } from "./reading.ts";
import { notFound } from "./refusal.ts";

type Known = Exclude<Person, string>;

/** Answers a `GET`. @throws {DeskRefusal} */
export async function show(
  desk: Desk,
  request: Request,
  { person, gone }: { person: Known | "unknown"; gone: AbortSignal },
): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const given = person === "unknown" ? "" : person.name;
  const ask = { given, problem: false };
  if (pathname === "/name" && desk.config.userHeader === undefined) {
    return page(namePage({ ...ask, next: "/" }));
  }
  if (person === "unknown") return page(namePage({ ...ask, next: pathname }));
  if (pathname === "/") {
    const given = searchParams.get("page") ?? "";
    const pageNumber = /^[1-9]\d{0,3}$/.test(given) ? Number(given) : 1;
    const board = await desk.source.board();
    const { rows } = rowsOf(board, pageNumber);
    desk.source.want(rows.map(({ job }) => job.jobId));
    const seen = pictureOf(board);
    return page(
      listPage({ board, person, pageNumber, seen, nowMs: Date.now() }),
    );
  }
  const seen = searchParams.get("seen") ?? "";
  const reader = { person: person.name, gone };
  if (pathname === "/events") {
    return events(desk.live.stream(watchList(desk, seen), reader));
  }
  if (pathname === "/decided") return await showDecided(desk, person);
  const [, id, rest = ""] = /^\/posts\/([^/]{1,900})(?:\/(.*))?$/
    .exec(pathname) ?? [];
  const jobId = decode(id);
  if (jobId === undefined) throw notFound();
  if (rest === "") return await showPost(desk, jobId, person);
  if (rest === "events") {
    return events(desk.live.stream(watchPost(desk, jobId, seen), reader));
  }
  const [, piece] = /^evidence\/(E\d{1,4})$/.exec(rest) ?? [];
  if (piece !== undefined) return await showPiece(desk, jobId, piece);
  throw notFound();
}

function decode(id: string | undefined): string | undefined {
  try {
    return id === undefined ? undefined : decodeURIComponent(id);
  } catch {
    return undefined;
  }
}

async function showDecided(
  { operator }: Desk,
  person: Known,
): Promise<Response> {
  try {
    const decisions = await readDecisions(operator.platform);
    const trouble = "Redis is not named";
    return page(decidedPage(decisions, { person, trouble }));
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error;
    const trouble = messageOf(error);
    return page(decidedPage(undefined, { person, trouble }), { status: 503 });
  }
}

async function showPost(
  desk: Desk,
  jobId: string,
  person: Known,
): Promise<Response> {
  const { operator, pieces, tokens, deciding, followings, source } = desk;
  const reading = await readPost(operator, pieces, {
    jobId,
    person: person.name,
    source,
  });
  if (reading === undefined) throw notFound();
  const { waiting, record } = reading;
  // Whoever approved it, and wherever.
  if (waiting === undefined && readEnd(record) === undefined) {
    followings.start(jobId);
  }
  const goesByKey = await desk.goesByKey();
  const tokenFor = (verb: Decision["verb"]) =>
    tokens.issue(subjectOf(reading, { verb, person: person.name }));
  return page(postPage({
    reading,
    person,
    tokenFor,
    decided: await deciding.of(jobId, record) ??
      await findDecision(desk, reading, goesByKey),
    following: followings.of(jobId),
    nameNote: goesByKey ? GOES_BY_KEY : "",
    nowMs: Date.now(),
  }));
}

const GOES_BY_KEY =
  "Unless this platform is told to take names (CORDUM_ALLOW_HEADER_PRINCIPAL), it records the desk's API key as the approver, and the message says so. The desk's own record names you.";

/** Who decided about a job that is over. */
async function findDecision(
  { operator }: Desk,
  { facts: { jobId }, record, waiting }: Reading,
  goesByKey: boolean,
) {
  if (waiting !== undefined) return undefined;
  try {
    const all = await readDecisions(operator.platform) ?? [];
    const last = all.find((one) => one.jobId === jobId);
    return last && isRecorded(last, record, goesByKey) ? last : undefined;
  } catch (error) {
    if (error instanceof OutsideError) return undefined;
    throw error;
  }
}

type Watch = (changed: () => void) => () => void;

/** Tells of what changes the list since it looked like that. */
function watchList({ source }: Desk, seen: string): Watch {
  return (changed) => {
    // Between the page and this, something may have happened already.
    void source.board().then((board) => {
      if (seen !== "" && pictureOf(board) !== seen) changed();
    });
    return source.onChange(changed);
  };
}

/** What a list shows, but for the ages. */
function pictureOf({ rows, trouble, undelivered }: Board): string {
  const shown = rows.map(({ job, post, trouble }) => [
    job.jobId,
    ...post === undefined ? [] : [post.problem, post.effect],
    trouble,
  ]);
  const text = JSON.stringify([shown, trouble, undelivered]);
  return createHash("sha256").update(text).digest("base64url").slice(0, 16);
}

/** Tells of what changes the page of a post since it was at that stage. */
function watchPost(
  { source, followings }: Desk,
  jobId: string,
  seen: string,
): Watch {
  return (changed) => {
    const problem = () => source.find(jobId)?.post?.problem;
    const isWaiting = () => source.find(jobId) !== undefined;
    const isMoving = () => {
      const { end, trouble } = followings.of(jobId) ?? {};
      return !isWaiting() && end === undefined && trouble === undefined;
    };
    let known = [isWaiting(), problem()].join();
    const look = () => {
      const now = [isWaiting(), problem()].join();
      if (now !== known) changed();
      known = now;
    };
    // Between the page and this, something may have happened already.
    if (seen === "waiting" && !isWaiting()) changed();
    if (seen === "moving" && !isMoving()) changed();
    const ends = [
      source.onChange(look),
      followings.onChange((id) => id === jobId && changed()),
    ];
    return () => ends.forEach((end) => end());
  };
}

/** One piece of evidence to its end, redacted at the job's level, as plain text. */
async function showPiece(
  { operator, pieces, source }: Desk,
  jobId: string,
  id: string,
): Promise<Response> {
  const reading = await readPost(operator, pieces, {
    jobId,
    person: "",
    source,
  });
  const { view } = reading ?? {};
  const text = view?.level === "full" ? undefined : view?.texts.get(id)?.text;
  if (view === undefined || text === undefined) throw notFound();
  return file(view.redact(text), "text/plain", "no-store");
}
