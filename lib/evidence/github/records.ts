/**
 * Records of GitHub's API: what of them is worth keeping, without e-mail
 * addresses, and what they say as facts and moments. Pure.
 *
 * @see https://docs.github.com/rest/deployments
 * @module
 */
import {
  isObject,
  type JsonObject,
  objectOf,
  optional,
  stringOf,
} from "../../base/json.ts";
import { counted } from "../../base/text.ts";
import type { Change } from "../../collected.ts";
import { toMoment } from "../../incident.ts";
import { webUrlOf } from "../../sources/fields.ts";
import type { Finding, FoundFact } from "../collector.ts";
import { listOf } from "../setup.ts";
import type { Subject } from "../subject.ts";
import { byTime, fromStart, wordsOf } from "../wording.ts";

const NAME_CHARS_MAX = 100;
const LINE_CHARS_MAX = 200;
const TITLE_CHARS_MAX = 80;
const LISTED_MAX = 100;
const ENTRIES_MAX = 20;
const FILES_MAX = 20;
const NAMED_MAX = 3;

/** One deployment; its statuses are asked for separately. */
export type GitHubDeployment =
  & ReturnType<typeof readDeployment>
  & { status?: ReturnType<typeof readStatuses> };
/** How two commits differ. */
export type GitHubComparison = ReturnType<typeof readComparison>;
/** A merged pull request. */
export type GitHubPull = NonNullable<ReturnType<typeof readPull>>;

/** What has been read about a repository's deployments. */
export interface KnownDeployments {
  readonly repository: string;
  /** From a day before the start until now, the oldest first. */
  readonly recent: readonly GitHubDeployment[];
  /** The last one before the start that is not known to have failed. */
  last?: GitHubDeployment | undefined;
  comparison?: GitHubComparison;
  pulls?: GitHubPull[];
}

export function readDeployment(deployment: JsonObject) {
  const { id, ref, sha } = deployment;
  return {
    id: Number.isSafeInteger(id) ? id as number : undefined,
    at: toMoment(deployment["created_at"]),
    ref: wordsOf(ref, NAME_CHARS_MAX),
    sha: shaOf(sha),
    environment: wordsOf(deployment["environment"], NAME_CHARS_MAX),
    production: deployment["production_environment"] === true || undefined,
    task: wordsOf(deployment["task"], NAME_CHARS_MAX),
    description: wordsOf(deployment["description"], LINE_CHARS_MAX),
    by: loginOf(deployment["creator"]),
  };
}

/**
 * The newest status. A later deployment makes an earlier success `inactive`, so
 * the one before tells how it went.
 */
export function readStatuses(statuses: readonly JsonObject[]) {
  const all = statuses.map((status) => ({
    at: toMoment(status["created_at"]),
    state: wordsOf(status["state"], NAME_CHARS_MAX),
    description: wordsOf(status["description"], LINE_CHARS_MAX),
    url: webUrlOf(status["log_url"]) ?? webUrlOf(status["target_url"]),
  })).toSorted(byTime);
  const newest = all.at(-1);
  if (newest?.state !== "inactive") return newest;
  const replaced = all.findLast(({ state }) => state !== "inactive");
  return { ...newest, ...replaced, replaced_at: newest.at };
}

/**
 * @param pages The comparison, and further pages of its commits.
 * @throws {GapError} If they hold none.
 */
export function readComparison(pages: readonly unknown[]) {
  const whole = objectOf(pages[0]) ?? {};
  const commits = pages.flatMap((page) =>
    listOf(objectOf(page)?.["commits"], "commits")
  );
  const files = itemsOf(whole["files"]).map((file) => ({
    name: wordsOf(file["filename"], LINE_CHARS_MAX),
    status: wordsOf(file["status"], NAME_CHARS_MAX),
    changes: countOf(file["changes"]) ?? 0,
  })).toSorted((a, b) => b.changes - a.changes);
  return {
    status: wordsOf(whole["status"], NAME_CHARS_MAX),
    ahead: countOf(whole["ahead_by"]),
    behind: countOf(whole["behind_by"]),
    url: webUrlOf(whole["html_url"]),
    commits: commits.map(readCommit).slice(-LISTED_MAX),
    file_count: files.length,
    files: files.slice(0, FILES_MAX),
  };
}

function readCommit({ sha, commit, author, parents }: JsonObject) {
  const { message, author: writer } = objectOf(commit) ?? {};
  const { name, date } = objectOf(writer) ?? {};
  const [title] = stringOf(message).split("\n", 1);
  return {
    sha: shaOf(sha),
    at: toMoment(date),
    by: loginOf(author) ?? wordsOf(name, NAME_CHARS_MAX),
    title: wordsOf(title, LINE_CHARS_MAX),
    merge: itemsOf(parents).length > 1 ||
      /^Merge pull request #\d|\(#\d+\)$/.test(title!) || undefined,
  };
}

/** `undefined` for one that is not merged. */
export function readPull(pull: JsonObject) {
  const at = toMoment(pull["merged_at"]);
  const number = countOf(pull["number"]);
  return at === undefined || number === undefined ? undefined : {
    number,
    at,
    title: wordsOf(pull["title"], LINE_CHARS_MAX),
    by: loginOf(pull["user"]),
    url: webUrlOf(pull["html_url"]),
  };
}

/** The newest merges, or else the newest commits. */
export function pickMerges(
  comparison: GitHubComparison | undefined,
  countMax: number,
): string[] {
  const { commits = [] } = comparison ?? {};
  const merges = commits.filter(({ merge }) => merge);
  const some = merges.length > 0 ? merges : commits;
  return some.slice(-countMax).reverse().flatMap(({ sha }) => sha ?? []);
}

/**
 * The last deployment before the start that may have changed what runs, if
 * there is one; of those to production, where any is.
 */
export function pickLast(
  recent: readonly GitHubDeployment[],
  startedAt: string,
): GitHubDeployment | undefined {
  const before = recent.filter(({ at = "" }) => at <= startedAt);
  const live = before.filter(isProduction);
  const some = live.length > 0 ? live : before;
  return some.findLast((one) => !isIdle(one)) ?? some.at(-1);
}

/** The one before it that it replaced. */
export function pickBase(
  all: readonly GitHubDeployment[],
  last: GitHubDeployment,
): GitHubDeployment | undefined {
  return all.slice(0, all.indexOf(last)).findLast((one) =>
    one.environment === last.environment && !isIdle(one)
  );
}

function isProduction({ production, environment = "" }: GitHubDeployment) {
  return production === true || /^prod/i.test(environment);
}

/** Whether it did not change what runs. */
function isIdle({ status }: GitHubDeployment): boolean {
  return /^(?:failure|error|queued|pending|waiting)$/.test(status?.state ?? "");
}

/** `v1.2.3 (a1b2c3d) to production`. */
export function describeDeployment(
  { ref = "", sha = "", environment }: GitHubDeployment,
): string {
  const short = sha.slice(0, 7);
  const name = ref === "" || ref === sha ? short : `${ref} (${short})`;
  return environment === undefined ? name : `${name} to ${environment}`;
}

export function describeDeployments(
  { repository, recent, last, comparison, pulls = [] }: KnownDeployments,
  subject: Subject,
): Finding {
  const [, name = ""] = repository.split("/");
  const { startedAt } = subject;
  const since = recent.filter(({ at = "" }) => at > startedAt);
  const full = (one: GitHubDeployment) =>
    [
      `${name} ${describeDeployment(one)}${
        one.by === undefined ? "" : ` by ${one.by}`
      }`,
      fromStart(one.at ?? "", subject),
      ...stateOf(one),
    ].join(", ");
  const facts: FoundFact[] = [];
  const add = (name: string, value: string) => facts.push({ name, value });
  if (last !== undefined) add("last deployment", full(last));
  const newest = since.at(-1);
  if (newest !== undefined) add("deployed since the start", full(newest));
  if (recent.length > 1) {
    const failed = recent.filter(({ status }) =>
      /^(?:failure|error)$/.test(status?.state ?? "")
    ).length;
    add(
      "deployments from a day before the start",
      `${recent.length}, ${since.length} of them since the start${
        failed === 0 ? "" : `, ${failed} failed`
      }`,
    );
  }
  if (comparison !== undefined) {
    facts.push(...compare(comparison, pulls));
  }
  return {
    piece: {
      title: `Deployments of ${repository}`,
      value: {
        deployments: recent.slice(-LISTED_MAX),
        last: last?.id,
        comparison,
        pulls: pulls.length === 0 ? undefined : pulls,
      },
    },
    facts,
    timeline: [
      ...recent.map((one) => ({
        at: one.at ?? "",
        text: `${one.by ?? "Somebody"} deployed ${name} ${
          [describeDeployment(one), ...stateOf(one)].join(", ")
        }${linkOf(one.status?.url)}`,
        change: toChange(one, name, {
          brought: one === last && comparison !== undefined
            ? compare(comparison, pulls)[0]?.value
            : undefined,
        }),
      })),
      ...pulls.map(({ at, number, title = "", by, url }) => ({
        at,
        text: `${by ?? "Somebody"} merged ${repository}#${number}: ${title}${
          linkOf(url)
        }`,
        change: {
          what: "merge" as const,
          of: name,
          version: `#${number}`,
          ...optional("by", by),
          ...title === "" ? {} : { says: title },
          ...optional("url", url),
        },
      })),
    ].toSorted(byTime).slice(-ENTRIES_MAX),
  };
}

function toChange(
  { ref, sha = "", environment, by, status }: GitHubDeployment,
  of: string,
  { brought }: { brought: string | undefined },
): Change {
  return {
    what: "deployment",
    of,
    version: ref === undefined || ref === sha ? sha.slice(0, 7) : ref,
    ...optional("where", environment),
    ...optional("by", by),
    ...optional("state", status?.state),
    ...optional("says", brought),
    ...optional("url", status?.url),
  };
}

function compare(
  { status, ahead, behind = 0, commits, file_count, files }: GitHubComparison,
  pulls: readonly GitHubPull[],
): FoundFact[] {
  const names = pulls.length > 0
    ? pulls.map(({ number, title = "without a title", by }) =>
      `#${number} ${wordsOf(title, TITLE_CHARS_MAX)}${
        by === undefined ? "" : ` (${by})`
      }`
    )
    : commits.slice(-NAMED_MAX).reverse().map(({ title }) =>
      wordsOf(title, TITLE_CHARS_MAX) ?? "without a message"
    );
  const count = ahead ?? commits.length;
  return [
    {
      name: "what it brought",
      value: status === "identical" || count + behind === 0
        ? "nothing, the same commit was deployed before"
        : [
          [
            ...count > 0 ? [counted(count, "commit")] : [],
            ...behind > 0 ? [`${counted(behind, "commit")} taken back`] : [],
          ].join(", "),
          ...names.length === 0 ? [] : [names.join("; ")],
        ].join(": "),
    },
    ...file_count === 0 ? [] : [{
      name: "files that it changed",
      value: `${file_count}: ${
        files.slice(0, NAMED_MAX).map(({ name }) => name).join(", ")
      }${file_count > NAMED_MAX ? " and others" : ""}`,
    }],
  ];
}

function stateOf({ status }: GitHubDeployment): string[] {
  if (status?.state === undefined) return [];
  return "replaced_at" in status
    ? [status.state, "replaced since"]
    : [status.state];
}

function linkOf(url: string | undefined): string {
  return url === undefined ? "" : ` ${url}`;
}

function shaOf(value: unknown): string | undefined {
  return typeof value === "string" && /^[\da-f]{7,64}$/.test(value)
    ? value
    : undefined;
}

function loginOf(value: unknown): string | undefined {
  return wordsOf(objectOf(value)?.["login"], NAME_CHARS_MAX);
}

function itemsOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function countOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? value as number : undefined;
}
