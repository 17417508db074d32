/**
 * What the desk shows. Nothing here changes anything.
 *
 * @module
 */
import { messageOf, OutsideError } from "../base/errors.ts";
import { readEnd } from "../operate/approvals.ts";
import { readDecisions } from "../operate/decisions.ts";
import { events, file, page } from "./answer.ts";
import { subjectOf } from "./deciding.ts";
import type { Desk } from "./parts.ts";
import { decidedPage } from "./pages/decided.ts";
import { listPage, rowsOf } from "./pages/list.ts";
import { namePage } from "./pages/name.ts";
import { postPage } from "./pages/post.ts";
import { NO_NAME_COOKIE, type Person } from "./people.ts";
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
  const ask = { next: pathname, given: "", problem: false };
  if (pathname === "/name" && desk.config.userHeader === undefined) {
    const headers = { "Set-Cookie": NO_NAME_COOKIE };
    return page(namePage({ ...ask, next: "/" }), { headers });
  }
  if (person === "unknown") return page(namePage(ask));
  if (pathname === "/") {
    const given = searchParams.get("page") ?? "";
    const pageNumber = /^[1-9]\d{0,3}$/.test(given) ? Number(given) : 1;
    const board = await desk.source.board();
    const { rows } = rowsOf(board, pageNumber);
    desk.source.want(rows.map(({ job }) => job.jobId));
    return page(listPage({ board, person, pageNumber, nowMs: Date.now() }));
  }
  if (pathname === "/events") {
    const watch = (changed: () => void) => desk.source.onChange(changed);
    return events(desk.live.stream(watch, gone));
  }
  if (pathname === "/decided") return await showDecided(desk, person);
  const [, id, rest = ""] = /^\/posts\/([^/]{1,900})(?:\/(.*))?$/
    .exec(pathname) ?? [];
  const jobId = decode(id);
  if (jobId === undefined) throw notFound();
  if (rest === "") return await showPost(desk, jobId, person);
  if (rest === "events") {
    return events(desk.live.stream(watchPost(desk, jobId), gone));
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
  const subject = subjectOf(reading, person.name);
  return page(postPage({
    reading,
    person,
    token: waiting === undefined ? "" : tokens.issue(subject),
    place: subject.place,
    decided: deciding.of(jobId) ?? await findDecision(desk, reading),
    following: followings.of(jobId),
    nameNote: await desk.goesByKey() ? GOES_BY_KEY : "",
    nowMs: Date.now(),
  }));
}

const GOES_BY_KEY =
  "Unless this platform is told to take names (CORDUM_ALLOW_HEADER_PRINCIPAL), it records the desk's API key as the approver, and the message says so. The desk's own record names you.";

/** Who decided about a job that is over. */
async function findDecision(
  { operator }: Desk,
  { facts, waiting }: Reading,
) {
  if (waiting !== undefined) return undefined;
  try {
    const all = await readDecisions(operator.platform) ?? [];
    return all.find(({ jobId }) => jobId === facts.jobId);
  } catch (error) {
    if (error instanceof OutsideError) return undefined;
    throw error;
  }
}

/** Tells of what changes the page of a post. */
function watchPost(
  { source, followings }: Desk,
  jobId: string,
): (changed: () => void) => () => void {
  return (changed) => {
    let known: string | undefined;
    const look = () => {
      const row = source.find(jobId);
      const now = JSON.stringify([row !== undefined, row?.post?.problem ?? ""]);
      if (known !== undefined && now !== known) changed();
      known = now;
    };
    look();
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
