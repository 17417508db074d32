/**
 * A stand-in for what GitHub's REST API says about deployments, for demos and
 * tests.
 *
 * @see https://docs.github.com/rest/deployments
 * @module
 */
import { type ApiRequest, type ApiStandIn, startApi } from "./api.ts";

/** One repository. */
export interface GitHubRepository {
  /** The newest first, each with its `id`, `sha` and `environment`. */
  readonly deployments?: readonly Readonly<Record<string, unknown>>[];
  /** By the deployment's id, the newest first. */
  readonly statuses?: Readonly<Record<string, readonly unknown[]>>;
  /** By `base...head`; `commits` are given out in pages. */
  readonly comparisons?: Readonly<
    Record<string, Readonly<Record<string, unknown>>>
  >;
  /** By commit. */
  readonly pulls?: Readonly<Record<string, readonly unknown[]>>;
}

/** What the stand-in answers with. */
export interface GitHubData {
  /** By `owner/name`. */
  readonly repositories?: Readonly<Record<string, GitHubRepository>>;
  /** Old names of repositories, and their numbers. */
  readonly renamed?: Readonly<Record<string, number>>;
  /** An Enterprise Server that limits nobody has a version and a path. */
  readonly enterprise?: string;
  /** What its links to further pages begin with, if not with its address. */
  readonly linkBase?: string;
  readonly port?: number;
}

/** The token that it takes. */
export const GITHUB_EXAMPLE_TOKEN = "gh-example-token";

const REASONS: Readonly<Record<number, string>> = {
  401: "Bad credentials",
  403: "Resource not accessible by personal access token",
  404: "Not Found",
  429: "API rate limit exceeded",
};
/** What each answer can be asked for, beside pages. */
const QUERIES: Readonly<Record<string, readonly string[]>> = {
  deployments: ["sha", "ref", "task", "environment"],
};

/** Starts it; its address has the path `/api/v3` for an Enterprise Server. */
export function startGitHubApi(
  { repositories = {}, renamed = {}, enterprise, linkBase, port = 0 }:
    GitHubData = {},
): ApiStandIn {
  const root = enterprise === undefined ? "" : "/api/v3";
  const of = (
    { part }: ApiRequest,
    answer: (repository: GitHubRepository) => unknown,
  ) => {
    const name = `${part["owner"]}/${part["repo"]}`;
    if (Object.hasOwn(renamed, name)) {
      return new Response(null, {
        status: 301,
        headers: { Location: `${api.url}/repositories/${renamed[name]}` },
      });
    }
    return Object.hasOwn(repositories, name)
      ? answer(repositories[name]!)
      : error(404);
  };
  const page = (
    { path, query }: ApiRequest,
    all: readonly unknown[],
    wrap: (items: readonly unknown[]) => unknown = (items) => items,
  ) => {
    const size = Number(query.get("per_page") ?? 30);
    const number = Number(query.get("page") ?? 1);
    if (!(size >= 1 && size <= 100) || !(number >= 1)) return error(422);
    const items = all.slice((number - 1) * size, number * size);
    const link = (to: number, rel: string) => {
      const next = new URLSearchParams(query);
      next.set("page", `${to}`);
      return `<${linkBase ?? api.url}${
        path.slice(root.length)
      }?${next}>; rel="${rel}"`;
    };
    const last = Math.max(1, Math.ceil(all.length / size));
    return Response.json(
      wrap(items),
      last > 1
        ? {
          headers: {
            Link: [
              ...number > 1 ? [link(number - 1, "prev")] : [],
              ...number < last ? [link(number + 1, "next")] : [],
              link(last, "last"),
            ].join(", "),
          },
        }
        : {},
    );
  };
  const repository = `${root}/repos/:owner/:repo`;
  const server = startApi({
    port,
    admit: ({ path, query, headers }) => {
      if (!headers.get("user-agent")) return error(403);
      if (headers.get("authorization") !== `Bearer ${GITHUB_EXAMPLE_TOKEN}`) {
        return error(401);
      }
      if (headers.get("accept") !== "application/vnd.github+json") {
        return error(415);
      }
      if (headers.get("x-github-api-version") !== "2022-11-28") {
        return error(400);
      }
      const takes = [
        "per_page",
        "page",
        ...QUERIES[path.split("/").at(-1) ?? ""] ?? [],
      ];
      return [...query.keys()].every((name) => takes.includes(name))
        ? undefined
        : error(422);
    },
    routes: {
      [`${repository}/deployments`]: (request) =>
        of(request, ({ deployments = [] }) => {
          const environment = request.query.get("environment");
          return page(
            request,
            deployments.filter((one) =>
              environment === null || one["environment"] === environment
            ),
          );
        }),
      [`${repository}/deployments/:id/statuses`]: (request) =>
        of(request, ({ statuses = {}, deployments = [] }) => {
          const id = request.part["id"]!;
          return deployments.some((one) => `${one["id"]}` === id)
            ? page(request, statuses[id] ?? [])
            : error(404);
        }),
      [`${repository}/compare/:range`]: (request) =>
        of(request, ({ comparisons = {} }) => {
          const found = comparisons[request.part["range"]!];
          if (found === undefined) return error(404);
          const { commits = [], ...rest } = found;
          return page(
            request,
            commits as unknown[],
            (items) => ({ ...rest, commits: items }),
          );
        }),
      [`${repository}/commits/:sha/pulls`]: (request) =>
        of(
          request,
          ({ pulls = {} }) => page(request, pulls[request.part["sha"]!] ?? []),
        ),
      [`${root}/rate_limit`]: () =>
        enterprise === undefined
          ? { rate: { limit: 5000, used: 10, remaining: 4990, reset: 1 } }
          : error(404),
      [`${root}/meta`]: () => ({
        verifiable_password_authentication: false,
        ...enterprise !== undefined && { installed_version: enterprise },
      }),
    },
    error,
    reset: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1" },
  });
  const api: ApiStandIn = Object.defineProperty(server, "url", {
    value: server.url + root,
  });
  return api;
}

function error(status: number): Response {
  return Response.json({
    message: REASONS[status] ?? `failed with ${status}`,
    documentation_url: "https://docs.github.com/rest",
    status: `${status}`,
  }, { status });
}
