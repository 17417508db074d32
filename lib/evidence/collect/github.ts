/**
 * Asks GitHub what was deployed before an incident: the deployments of the
 * repository that the catalogue names, and what the last one brought.
 *
 * @see https://docs.github.com/rest/deployments
 * @module
 */
import { optional as optionalSetting, secret, url } from "../../base/config.ts";
import { objectOf } from "../../base/json.ts";
import { utcOf } from "../../base/text.ts";
import {
  type Collector,
  type CollectorIo,
  type Finding,
  GapError,
} from "../collector.ts";
import { pathOf } from "../connection.ts";
import {
  describeDeployment,
  describeDeployments,
  type GitHubDeployment,
  type KnownDeployments,
  pickBase,
  pickLast,
  pickMerges,
  readComparison,
  readDeployment,
  readPull,
  readStatuses,
} from "../github/records.ts";
import { inParts, type PartGap } from "../parts.ts";
import { hostOf, listOf } from "../setup.ts";
import { byTime } from "../wording.ts";

const SETTINGS = {
  githubApiUrl: optionalSetting(url("GITHUB_API_URL", {
    about:
      "GitHub's API; https://api.github.com unless set, https://HOST/api/v3 of an Enterprise Server",
  })),
  githubToken: optionalSetting(secret("GITHUB_TOKEN", {
    about:
      "token for GitHub; reads deployments, contents and pull requests of the catalogue's repositories",
  })),
};
type Io = CollectorIo<typeof SETTINGS>;

const API_URL = "https://api.github.com";
const DAY_MS = 24 * 60 * 60 * 1000;
const PAGE = 100;
/** 5 + 5 pages, 5 statuses and 5 pulls are all requests that there are. */
const PAGES_MAX = 5;
const STATUSES_MAX = 5;
const PULLS_MAX = 5;
const LINK_CHARS_MAX = 8192;

export const github = {
  name: "github",
  title: "GitHub",
  settings: SETTINGS,
  isOn: ({ githubToken }) => githubToken !== undefined,
  reach: ({ githubApiUrl, githubToken }) =>
    hostOf(githubApiUrl ?? (githubToken && API_URL), "GitHub"),
  connect: ({ githubApiUrl, githubToken }) => ({
    title: "GitHub",
    url: githubApiUrl ?? API_URL,
    headers: () => ({
      Authorization: `Bearer ${githubToken}`,
      Accept: "application/vnd.github+json",
      "X-GitHub-Api-Version": "2022-11-28",
    }),
    isLimit: (status, headers, body) =>
      status === 403 &&
      (headers.has("retry-after") ||
        headers.get("x-ratelimit-remaining") === "0" ||
        /rate limit/i.test(String(objectOf(body)?.["message"]))),
    resetMs,
  }),
  questions({ entry, startedAt }) {
    if (entry === undefined) {
      return "no repository is known: no entry of the catalogue matches";
    }
    const { repository, environment, name } = entry;
    if (repository === undefined) {
      return `no repository is known: the catalogue's entry ${name} names none`;
    }
    const where = environment === undefined ? "" : ` to ${environment}`;
    return [{
      id: "deployments",
      what: `deployments of ${repository}${where} since ${
        utcOf(dayBefore(startedAt))
      }`,
      rank: 1,
      kind: "change",
    }];
  },
  ask: (_, io) => askDeployments(io),
  async check(io) {
    try {
      const { value } = await io.get("/rate_limit");
      const { remaining, limit } = objectOf(objectOf(value)?.["rate"]) ?? {};
      return { says: `GitHub, ${remaining} of ${limit} requests left` };
    } catch (error) {
      // So answers an Enterprise Server that limits nobody.
      if (!(error instanceof GapError) || error.status !== 404) throw error;
      const { value } = await io.get("/meta");
      const version = objectOf(value)?.["installed_version"];
      return { says: `GitHub Enterprise Server ${version}` };
    }
  },
} satisfies Collector<typeof SETTINGS>;

/** Without any of these headers, nobody knows how long it takes. */
function resetMs(headers: Headers, nowMs: number): number | undefined {
  const msOf = (name: string) => {
    const text = headers.get(name) ?? "";
    return /^\d{1,12}$/.test(text) ? Number(text) * 1000 : undefined;
  };
  const waitMs = msOf("retry-after");
  if (waitMs !== undefined) return waitMs;
  const atMs = msOf("x-ratelimit-reset");
  return atMs === undefined || headers.get("x-ratelimit-remaining") !== "0"
    ? undefined
    : Math.max(0, atMs - nowMs);
}

function dayBefore(at: string): string {
  return new Date(Date.parse(at) - DAY_MS).toISOString();
}

async function* askDeployments(io: Io): AsyncGenerator<Finding> {
  const { startedAt, entry } = io.subject;
  const { repository = "", environment } = entry!;
  const [owner = "", name = ""] = repository.split("/");
  const path = pathOf`/repos/${owner}/${name}`;
  const since = dayBefore(startedAt);
  const isOld = ({ at = "" }: GitHubDeployment) => at < since;
  const { values, gap } = await getPages(`${path}/deployments`, io, {
    query: [["environment", environment]],
    isEnough: (value) => readDeployments(value).some(isOld),
  });
  const all = values.flatMap(readDeployments).toSorted(byTime);
  const recent = all.filter((one) => !isOld(one));
  const more = gap && { gap: { what: "older deployments", ...gap } };
  if (recent.length === 0) {
    const last = all.at(-1);
    yield {
      nothing: last === undefined
        ? "GitHub knows no deployment of it"
        : `none; the last was ${describeDeployment(last)} at ${
          utcOf(last.at ?? "an unknown time")
        }`,
    };
    if (more !== undefined) yield more;
    return;
  }
  const known: KnownDeployments = { repository, recent };
  const describe = () => describeDeployments(known, io.subject);
  known.last = pickLast(recent, startedAt);
  yield describe();
  if (more !== undefined) yield more;
  yield* inParts([
    {
      what: "statuses of the deployments",
      async read() {
        const some = recent.slice(-STATUSES_MAX);
        for (const one of some.toReversed()) {
          const { value } = await io.get(
            `${path}/deployments/${one.id}/statuses`,
            { query: [["per_page", `${PAGE}`]] },
          );
          one.status = readStatuses(listOf(value, "statuses"));
          known.last = pickLast(recent, startedAt);
        }
        if (some.length === recent.length) return;
        const [got, of] = [some.length, recent.length];
        return { why: `only ${got} are asked for`, kind: "cut", got, of };
      },
    },
    {
      what: "what the last deployment brought",
      async read() {
        if (known.last === undefined) return;
        const { sha: head } = known.last;
        const base = pickBase(all, known.last)?.sha;
        if (base === undefined || head === undefined) {
          throw new GapError("absent", "no commit before it is known");
        }
        const { values, gap } = base === head
          ? { values: [{ status: "identical", commits: [] }] }
          : await getPages(`${path}/compare/${base}...${head}`, io);
        known.comparison = readComparison(values);
        return gap;
      },
    },
    {
      what: "pull requests of the last deployment",
      async read() {
        const shas = pickMerges(known.comparison, PULLS_MAX);
        for (const sha of shas) {
          const { value } = await io.get(`${path}/commits/${sha}/pulls`);
          const pull = listOf(value, "pull requests").map(readPull)
            .find((pull) => pull !== undefined);
          const { pulls = [] } = known;
          if (pulls.some(({ number }) => number === pull?.number)) continue;
          known.pulls = [...pulls, ...pull === undefined ? [] : [pull]];
        }
      },
    },
  ], describe);
}

function readDeployments(value: unknown): GitHubDeployment[] {
  const items = listOf(value, "deployments");
  const known = items.map(readDeployment).filter(({ id }) => id !== undefined);
  if (known.length > 0 || items.length === 0) return known;
  throw new GapError("broken", "the answer holds no deployments");
}

/**
 * An answer and those after it; what came before one that failed stays. Follows
 * links below our own address alone.
 */
async function getPages(
  path: string,
  io: Io,
  { query = [], isEnough = () => false }: {
    query?: [name: string, value: string | undefined][];
    isEnough?: (value: unknown) => boolean;
  } = {},
): Promise<{ values: unknown[]; gap?: PartGap }> {
  const values: unknown[] = [];
  let next: Link | undefined = {
    path,
    query: [...query, ["per_page", `${PAGE}`]],
  };
  while (next !== undefined) {
    if (values.length === PAGES_MAX) {
      const why = `at most ${PAGES_MAX} pages of ${PAGE} are read`;
      return { values, gap: { why, kind: "cut" } };
    }
    try {
      const { path, query } = next;
      const { value, headers } = await io.get(path, { query });
      values.push(value);
      next = isEnough(value) ? undefined : nextOf(headers, io);
    } catch (error) {
      if (values.length === 0) throw toRenamed(error);
      if (!(error instanceof GapError)) throw error;
      return { values, gap: { why: error.message, kind: error.kind } };
    }
  }
  return { values };
}

interface Link {
  path: string;
  query: [name: string, value: string | undefined][];
}

/** @throws {GapError} If the next page lies elsewhere. */
function nextOf(headers: Headers, { config }: Io): Link | undefined {
  const links = (headers.get("link") ?? "").slice(0, LINK_CHARS_MAX);
  const [, next] = /<([^<>]*)>\s*;\s*rel="?next"?/.exec(links) ?? [];
  if (next === undefined) return undefined;
  const base = new URL(`${config.githubApiUrl ?? API_URL}/`);
  const url = URL.parse(next, base);
  if (url?.origin !== base.origin || !url.pathname.startsWith(base.pathname)) {
    throw new GapError("broken", "GitHub's next page lies elsewhere");
  }
  return {
    path: url.pathname.slice(base.pathname.length - 1),
    query: [...url.searchParams],
  };
}

/** GitHub sends one to another address once a repository has another name. */
function toRenamed(error: unknown): unknown {
  if (!(error instanceof GapError)) return error;
  const { status, message } = error;
  if ([301, 307, 308].includes(status)) {
    const why =
      "GitHub knows it by another name; the catalogue has the old one";
    return new GapError("absent", why, status);
  }
  if (status !== 404) return error;
  const why = `${message}: it is absent, or the token may not see it`;
  return new GapError("absent", why, status);
}
