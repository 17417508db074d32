import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  GITHUB_EXAMPLE_TOKEN,
  type GitHubData,
  type GitHubRepository,
  startGitHubApi,
} from "../../../deploy/standins/github.ts";
import { readConfig } from "../../../lib/base/config.ts";
import { github } from "../../../lib/evidence/collect/github.ts";
import { GapError } from "../../../lib/evidence/collector.ts";
import type { Subject } from "../../../lib/evidence/subject.ts";
import { collect, openIo, testFaults } from "../../support/collecting.ts";

const sha = (character: string) => character.repeat(40);
const at = (time: string) => `2026-01-15T${time}:00Z`;
const ADA = { login: "ada", email: "ada@shop.example" };

/** The start of the incident is 09:30. */
const deployment = (id: number, given: Record<string, unknown> = {}) => ({
  id,
  sha: sha(`${id}`),
  ref: `v1.2.${id}`,
  task: "deploy",
  environment: "production",
  payload: { token: "not-kept" },
  description: null,
  creator: ADA,
  created_at: at("09:26"),
  updated_at: at("09:27"),
  production_environment: true,
  ...given,
});
const status = (state: string, time = "09:27", given = {}) => ({
  state,
  created_at: at(time),
  description: "",
  target_url: "",
  log_url: "",
  creator: ADA,
  ...given,
});
const commit = (character: string, message: string, given = {}) => ({
  sha: sha(character),
  html_url: `https://github.example/${character}`,
  commit: {
    message,
    author: {
      name: "Ada Example",
      email: "ada@shop.example",
      date: at("08:00"),
    },
  },
  author: ADA,
  parents: [{ sha: sha("0") }],
  ...given,
});
const pull = (number: number, title: string, given = {}) => ({
  number,
  title,
  html_url: `https://github.example/shop/checkout/pull/${number}`,
  merged_at: at("08:50"),
  user: ADA,
  ...given,
});

const CHECKOUT: GitHubRepository = {
  deployments: [
    deployment(3),
    deployment(2, { created_at: "2026-01-10T09:00:00Z" }),
    deployment(1, { created_at: "2026-01-05T09:00:00Z" }),
  ],
  statuses: {
    "3": [
      status("success", "09:28", { log_url: "https://ci.example/run/7" }),
      status("in_progress", "09:26"),
    ],
  },
  comparisons: {
    [`${sha("2")}...${sha("3")}`]: {
      status: "ahead",
      ahead_by: 3,
      behind_by: 0,
      total_commits: 3,
      html_url: "https://github.example/compare",
      commits: [
        commit("a", "Tidy up", { author: null }),
        commit("b", "Raise the pool (#12)\n\nCo-authored-by: B <b@x.example>"),
        commit("c", "Merge pull request #13 from shop/retry", {
          parents: [{}, {}],
        }),
      ],
      files: [
        { filename: "README.md", status: "modified", changes: 1, patch: "@@" },
        { filename: "src/pool.ts", status: "modified", changes: 40 },
      ],
    },
  },
  pulls: {
    [sha("b")]: [
      pull(11, "Not merged", { merged_at: null }),
      pull(12, "Raise the pool"),
    ],
    [sha("c")]: [pull(13, "Retry once", { user: null })],
  },
};

const SUBJECT: Partial<Subject> = {
  entry: {
    name: "checkout",
    match: {},
    repository: "shop/checkout",
    environment: "production",
  },
};
const start = (repository = CHECKOUT, rest: GitHubData = {}) =>
  startGitHubApi({ repositories: { "shop/checkout": repository }, ...rest });
const env = (url: string) => ({
  GITHUB_API_URL: url,
  GITHUB_TOKEN: GITHUB_EXAMPLE_TOKEN,
});
const ask = (url: string, rest = {}) =>
  collect(github, { env: env(url), subject: SUBJECT, ...rest });

testFaults({ collector: github, start, env, subject: SUBJECT });

Deno.test("github: the last deployment before the start, and what it brought, become facts", async () => {
  await using api = start();
  const found = await ask(api.url);
  assertEquals(found.facts.map(({ name, value }) => [name, value]), [
    [
      "last deployment",
      "checkout v1.2.3 (3333333) to production by ada, 4 min before the start, success",
    ],
    [
      "what it brought",
      "3 commits: #13 Retry once; #12 Raise the pool (ada)",
    ],
    ["files that it changed", "2: src/pool.ts, README.md"],
  ]);
  assert(found.facts.every(({ kind }) => kind === "change"));
  assertEquals(found.timeline.map(({ at, kind, text }) => [at, kind, text]), [
    [
      "2026-01-15T08:50:00.000Z",
      "change",
      "Somebody merged shop/checkout#13: Retry once https://github.example/shop/checkout/pull/13",
    ],
    [
      "2026-01-15T08:50:00.000Z",
      "change",
      "ada merged shop/checkout#12: Raise the pool https://github.example/shop/checkout/pull/12",
    ],
    [
      "2026-01-15T09:26:00.000Z",
      "change",
      "ada deployed checkout v1.2.3 (3333333) to production, success https://ci.example/run/7",
    ],
  ]);
  assertEquals(found.timeline.slice(1).map(({ change }) => change), [
    {
      what: "merge",
      of: "checkout",
      version: "#12",
      by: "ada",
      says: "Raise the pool",
      url: "https://github.example/shop/checkout/pull/12",
    },
    {
      what: "deployment",
      of: "checkout",
      version: "v1.2.3",
      where: "production",
      by: "ada",
      state: "success",
      says: "3 commits: #13 Retry once; #12 Raise the pool (ada)",
      url: "https://ci.example/run/7",
    },
  ]);
  assertEquals(found.lookups, [{
    collector: "github",
    question:
      "deployments of shop/checkout to production since 2026-01-14 09:30:00 UTC",
    state: "found",
    evidence: ["github/deployments"],
  }]);
  assertEquals(found.gaps, []);
  assertEquals(api.mistakes, []);
  assertEquals(api.asked, [
    "/repos/shop/checkout/deployments?environment=production&per_page=100",
    "/repos/shop/checkout/deployments/3/statuses?per_page=100",
    `/repos/shop/checkout/compare/${sha("2")}...${sha("3")}?per_page=100`,
    `/repos/shop/checkout/commits/${sha("c")}/pulls`,
    `/repos/shop/checkout/commits/${sha("b")}/pulls`,
  ]);
});

Deno.test("github: the piece keeps no e-mail address, payload or patch", async () => {
  await using api = start();
  const [piece] = (await ask(api.url)).pieces;
  assert(!/@|not-kept|patch/.test(piece!.content), piece!.content);
  const { deployments, comparison, pulls } = JSON.parse(piece!.content);
  assertEquals(deployments.length, 1);
  assertEquals(comparison.commits.map(({ by }: { by: string }) => by), [
    "Ada Example",
    "ada",
    "ada",
  ]);
  assertEquals(pulls.length, 2);
});

Deno.test("github: the same answers give the same bytes", async () => {
  await using api = start();
  assertEquals(await ask(api.url), await ask(api.url));
});

Deno.test("github: no deployment in the day before is nothing, and the last one is named", async () => {
  const [, old] = CHECKOUT.deployments!;
  await using api = start({ deployments: [old!] });
  const found = await ask(api.url);
  assertEquals(found.lookups.map(({ state, why }) => [state, why]), [[
    "nothing",
    "none; the last was v1.2.2 (2222222) to production at 2026-01-10 09:00:00 UTC",
  ]]);
  assertEquals(api.asked.length, 1);
  await using empty = start({});
  const none = await ask(empty.url);
  assertEquals(none.lookups[0]!.why, "GitHub knows no deployment of it");
});

Deno.test("github: deployments since the start and failed ones are told apart", async () => {
  await using api = start({
    ...CHECKOUT,
    deployments: [
      deployment(5, { created_at: at("09:45"), ref: "main" }),
      deployment(4, { created_at: at("09:29"), ref: sha("4") }),
      ...CHECKOUT.deployments!,
    ],
    statuses: {
      "5": [status("in_progress", "09:45")],
      "4": [status("failure", "09:29")],
      "3": [
        status("inactive", "09:46"),
        status("success", "09:28"),
      ],
    },
  });
  const found = await ask(api.url);
  assertEquals(
    found.facts.slice(0, 3).map(({ name, value }) => [name, value]),
    [
      [
        "last deployment",
        "checkout v1.2.3 (3333333) to production by ada, 4 min before the start, success, replaced since",
      ],
      [
        "deployed since the start",
        "checkout main (5555555) to production by ada, 15 min after the start, in_progress",
      ],
      [
        "deployments from a day before the start",
        "3, 1 of them since the start, 1 failed",
      ],
    ],
  );
  assertMatch(
    found.timeline.map(({ text }) => text).join("\n"),
    /ada deployed checkout 4444444 to production, failure/,
  );
});

Deno.test("github: a failed deployment is the last one if there is no other", async () => {
  await using api = start({
    ...CHECKOUT,
    statuses: { "3": [status("failure")] },
  });
  const found = await ask(api.url);
  assertMatch(found.facts[0]!.value, /4 min before the start, failure$/);
});

Deno.test("github: without an environment in the catalogue, production counts first", async () => {
  const { environment: _, ...entry } = SUBJECT.entry!;
  await using api = start({
    ...CHECKOUT,
    deployments: [
      deployment(4, {
        environment: "preview",
        production_environment: false,
        created_at: at("09:29"),
      }),
      ...CHECKOUT.deployments!,
    ],
  });
  const found = await ask(api.url, { subject: { entry } });
  assertMatch(found.facts[0]!.value, /^checkout v1\.2\.3 .* to production/);
  assertEquals(found.timeline.length, 4);
  assertEquals(
    api.asked[0],
    "/repos/shop/checkout/deployments?per_page=100",
  );
});

for (
  const [what, comparison, expected] of [
    [
      "rollback",
      { status: "behind", ahead_by: 0, behind_by: 2, commits: [] },
      "2 commits taken back",
    ],
    ["fork", {
      status: "diverged",
      ahead_by: 1,
      behind_by: 2,
      commits: [commit("a", "Fix it now")],
    }, "1 commit, 2 commits taken back: Fix it now"],
  ] as const
) {
  Deno.test(`github: a ${what} says what it took back`, async () => {
    await using api = start({
      ...CHECKOUT,
      comparisons: { [`${sha("2")}...${sha("3")}`]: comparison },
    });
    const { facts } = await ask(api.url);
    assertEquals(
      facts.find(({ name }) => name === "what it brought")?.value,
      expected,
    );
  });
}

Deno.test("github: the same commit again is not compared", async () => {
  await using api = start({
    deployments: [
      deployment(3),
      deployment(2, { sha: sha("3"), created_at: at("07:00") }),
    ],
  });
  const found = await ask(api.url);
  assertEquals(
    found.facts.at(-1)!.value,
    "nothing, the same commit was deployed before",
  );
  assert(!api.asked.some((path) => /compare/.test(path)));
});

Deno.test("github: without a deployment before it, what it brought is a gap", async () => {
  await using api = start({ deployments: [deployment(3)] });
  const found = await ask(api.url);
  assertEquals(found.gaps, [{
    what: "what the last deployment brought",
    why: "no commit before it is known",
    kind: "absent",
  }]);
  assertEquals(found.facts.length, 1);
});

for (
  const [path, what] of [
    [/statuses/, "statuses of the deployments"],
    [/compare/, "what the last deployment brought"],
    [/pulls/, "pull requests of the last deployment"],
  ] as const
) {
  Deno.test(`github: without ${what} the rest stays`, async () => {
    await using api = start();
    api.fault = "403";
    api.faultOn = (asked) => path.test(asked);
    const found = await ask(api.url);
    assertEquals(found.gaps, [{
      what,
      why:
        "GitHub answered 403 (Resource not accessible by personal access token)",
      kind: "refused",
    }]);
    assertMatch(found.facts[0]!.value, /4 min before the start/);
  });
}

Deno.test("github: statuses that came before one failed are kept", async () => {
  await using api = start({
    ...CHECKOUT,
    deployments: [
      CHECKOUT.deployments![0]!,
      deployment(2, { created_at: at("08:00") }),
    ],
  });
  api.fault = "500";
  api.faultOn = (path) => /\/2\/statuses/.test(path);
  const found = await ask(api.url);
  assertMatch(found.facts[0]!.value, /success$/);
  assertEquals(found.gaps.map(({ what, kind }) => [what, kind]), [
    ["statuses of the deployments", "broken"],
  ]);
});

Deno.test("github: what came before a limit is kept", async () => {
  await using api = start({
    ...CHECKOUT,
    deployments: [
      CHECKOUT.deployments![0]!,
      deployment(2, { created_at: at("08:00") }),
    ],
  });
  api.fault = "429";
  api.faultOn = (path) => /\/2\/statuses/.test(path);
  const found = await ask(api.url);
  assertMatch(found.facts[0]!.value, /success$/);
  assertEquals(found.gaps.map(({ kind }) => kind), ["limited"]);
  assertEquals(api.asked.length, 3);
});

Deno.test("github: what it replaced is of its environment and has not failed", async () => {
  const { environment: _, ...entry } = SUBJECT.entry!;
  await using api = start({
    deployments: [
      deployment(9),
      deployment(8, { environment: "staging", created_at: at("09:20") }),
      deployment(7, { created_at: at("09:10") }),
      deployment(6, { created_at: at("09:00") }),
    ],
    statuses: { "7": [status("error")] },
    comparisons: {
      [`${sha("6")}...${sha("9")}`]: {
        ahead_by: 1,
        commits: [commit("a", "A")],
      },
    },
  });
  const found = await ask(api.url, { subject: { entry } });
  assertEquals(
    found.facts.find(({ name }) => name === "what it brought")?.value,
    "1 commit: A",
  );
  assertEquals(found.gaps, []);
});

Deno.test("github: one pull request of two commits is named once", async () => {
  await using api = start({
    ...CHECKOUT,
    pulls: { [sha("b")]: [pull(12, "Both")], [sha("c")]: [pull(12, "Both")] },
  });
  const found = await ask(api.url);
  assertEquals(found.facts[1]!.value, "3 commits: #12 Both (ada)");
});

Deno.test("github: what is no commit is not asked for", async () => {
  for (const odd of ["../../user", "main", 7, null]) {
    await using api = start({
      deployments: [
        deployment(3),
        deployment(2, { sha: odd, created_at: at("07:00") }),
      ],
    });
    const found = await ask(api.url);
    assertEquals(found.gaps.map(({ why }) => why), [
      "no commit before it is known",
    ]);
    assertEquals(api.asked.length, 3);
  }
});

Deno.test("github: a 403 is a limit if it says so, and ends the question", async () => {
  for (
    const [headers, message] of [
      [{ "x-ratelimit-remaining": "0", "x-ratelimit-reset": "9999999999" }, ""],
      [{ "retry-after": "3600" }, ""],
      [{}, "You have exceeded a secondary rate limit."],
    ] as [Record<string, string>, string][]
  ) {
    await using api = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      onListen: () => {},
    }, () => Response.json({ message }, { status: 403, headers }));
    const found = await ask(`http://127.0.0.1:${api.addr.port}`);
    assertEquals(found.gaps.map(({ kind }) => kind), ["limited"]);
  }
});

Deno.test("github: it waits as long as the limit's headers say", () => {
  const config = readConfig(
    github.settings,
    (name) => (env("http://g") as Record<string, string>)[name],
  );
  const { resetMs } = github.connect(config);
  const wait = (headers: Record<string, string>) =>
    resetMs(new Headers(headers), 1_000_000);
  const none = { "x-ratelimit-remaining": "0" };
  assertEquals(wait({ "retry-after": "3" }), 3000);
  assertEquals(wait({ ...none, "x-ratelimit-reset": "1004" }), 4000);
  assertEquals(wait({ ...none, "x-ratelimit-reset": "900" }), 0);
  assertEquals(wait({ ...none, "x-ratelimit-reset": "soon" }), undefined);
  assertEquals(wait({ "x-ratelimit-reset": "1004" }), undefined);
  assertEquals(wait({}), undefined);
});

Deno.test("github: a renamed repository is a gap that names the catalogue, and is not followed", async () => {
  await using api = start(CHECKOUT, { renamed: { "shop/checkout": 7 } });
  const found = await ask(api.url);
  assertEquals(found.gaps.map(({ why, kind }) => [why, kind]), [[
    "GitHub knows it by another name; the catalogue has the old one",
    "absent",
  ]]);
  assertEquals(api.asked.length, 1);
});

Deno.test("github: a repository that is not there may be one that the token may not see", async () => {
  await using api = startGitHubApi();
  const found = await ask(api.url);
  assertEquals(found.gaps.map(({ why, kind }) => [why, kind]), [[
    "GitHub answered 404 (Not Found): it is absent, or the token may not see it",
    "absent",
  ]]);
});

const many = (count: number, minutes: number) =>
  Array.from({ length: count }, (_, nth) => ({
    ...deployment(nth + 1),
    sha: sha("d"),
    created_at: new Date(Date.parse(at("09:29")) - nth * minutes * 60_000)
      .toISOString(),
  }));

Deno.test("github: pages are read until one reaches back a day", async () => {
  await using api = start({ deployments: many(1000, 10) });
  const found = await ask(api.url);
  const pages = api.asked.filter((path) => /deployments\?/.test(path));
  assertEquals(pages.length, 2);
  assertMatch(pages[1]!, /page=2/);
  assertMatch(found.facts[1]!.value, /^144, 0 of them since the start/);
  assertEquals(found.gaps.map(({ what, got, of }) => [what, got, of]), [
    ["statuses of the deployments", 5, 144],
  ]);
  assertEquals(found.timeline.length, 20);
  assertEquals(found.timeline.at(-1)!.at, "2026-01-15T09:29:00.000Z");
});

Deno.test("github: five pages are the most, and what is older is a gap", async () => {
  await using api = start({ deployments: many(10_000, 0.01) });
  const found = await ask(api.url);
  assertEquals(
    api.asked.filter((path) => /deployments\?/.test(path)).length,
    5,
  );
  assertEquals(found.gaps[0], {
    what: "older deployments",
    why: "at most 5 pages of 100 are read",
    kind: "cut",
  });
  const { deployments } = JSON.parse(found.pieces[0]!.content);
  assertEquals(deployments.length, 100);
  assert(api.asked.length <= 20);
});

Deno.test("github: the newest of many commits are kept, and their merges asked for", async () => {
  const commits = Array.from({ length: 260 }, (_, nth) => ({
    ...commit("e", `Change ${nth}`),
    sha: nth.toString(16).padStart(40, "e"),
  }));
  await using api = start({
    ...CHECKOUT,
    comparisons: {
      [`${sha("2")}...${sha("3")}`]: {
        status: "ahead",
        ahead_by: 260,
        behind_by: 0,
        commits,
      },
    },
  });
  const found = await ask(api.url);
  assertEquals(
    found.facts.find(({ name }) => name === "what it brought")?.value,
    "260 commits: Change 259; Change 258; Change 257",
  );
  const { comparison } = JSON.parse(found.pieces[0]!.content);
  assertEquals(comparison.commits.length, 100);
  assertEquals(
    api.asked.filter((path) => /pulls/.test(path)).map((path) =>
      path.split("/")[5]
    ),
    commits.slice(-5).reverse().map(({ sha }) => sha),
  );
});

Deno.test("github: a page that lies elsewhere is not asked for", async () => {
  await using other = start({ deployments: many(1000, 1) });
  for (
    const linkBase of [
      other.url,
      "https://127.0.0.1",
      "//evil.example",
      "http://[",
    ]
  ) {
    await using api = start({ deployments: many(1000, 1) }, { linkBase });
    const found = await ask(api.url);
    assertEquals(other.asked, []);
    assertEquals(found.gaps[0]?.what, "older deployments");
    assertEquals(found.gaps[0]?.why, "GitHub's next page lies elsewhere");
    assertEquals(found.pieces.length, 1);
  }
});

Deno.test("github: pages of an Enterprise Server lie below its path", async () => {
  await using api = start({ deployments: many(1000, 10) }, {
    enterprise: "3.14.2",
  });
  assertMatch(api.url, /\/api\/v3$/);
  const found = await ask(api.url);
  assertEquals(
    api.asked.filter((path) => /^\/api\/v3\/repos.*page=2/.test(path)).length,
    1,
  );
  assertEquals(api.mistakes, []);
  assertEquals(found.pieces.length, 1);
});

Deno.test("github: a page above an Enterprise Server's path is not asked for", async () => {
  await using api = start({ deployments: many(1000, 10) }, {
    enterprise: "3.14.2",
    linkBase: "/api/v3/..",
  });
  const found = await ask(api.url);
  assertEquals(found.gaps[0]?.why, "GitHub's next page lies elsewhere");
});

Deno.test("github: what came before the time was over stays", async () => {
  await using api = start();
  api.fault = "silent";
  api.faultOn = (path) => /compare/.test(path);
  const found = await ask(api.url, { timeMs: 300 });
  assertMatch(found.facts[0]!.value, /success$/);
  assertEquals(found.gaps.map(({ kind }) => kind), ["late"]);
});

Deno.test("github: hostile texts stay short and are redacted", async () => {
  const secret = `ghp_${"aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC2"}`;
  await using api = start({
    deployments: [
      deployment(3, {
        ref: `<!channel> ${secret} ${"x ".repeat(10_000)}`,
        creator: { login: ["ada"] },
        environment: `production\n${secret}`,
        description: secret,
      }),
      deployment(2, { sha: "../../user", created_at: at("07:00") }),
      { id: "1/../../user", sha: 7 },
      { id: -1.5 },
    ],
    statuses: { "3": [status(`${secret}`, "09:28", { log_url: "data:x" })] },
  });
  const { environment: _, ...entry } = SUBJECT.entry!;
  const found = await ask(api.url, { subject: { entry } });
  assert(!JSON.stringify(found).includes(secret));
  for (const { value } of found.facts) assert(value.length <= 500);
  assert(api.asked.every((path) => path.startsWith("/repos/shop/checkout/")));
  assert(!api.asked.some((path) => /user/.test(path)));
});

Deno.test("github: without a repository in the catalogue it says what to add", async () => {
  await using api = start();
  const none = await ask(api.url, { subject: {} });
  const { repository: _, ...entry } = SUBJECT.entry!;
  const bare = await ask(api.url, { subject: { entry } });
  assertEquals([none, bare].map(({ lookups: [lookup] }) => lookup), [
    {
      collector: "github",
      state: "unconcerned",
      why: "no repository is known: no entry of the catalogue matches",
    },
    {
      collector: "github",
      state: "unconcerned",
      why: "no repository is known: the catalogue's entry checkout names none",
    },
  ]);
  assertEquals(api.asked, []);
});

Deno.test("github: a token is enough, and an address opens its host where tokens lie in files", () => {
  const read = (env: Record<string, string>) => {
    const config = readConfig(github.settings, (name) => env[name]);
    return [github.isOn(config), github.reach(config)];
  };
  const reach = [{ host: "api.github.com:443", why: "GitHub" }];
  const address = { GITHUB_API_URL: "https://api.github.com" };
  assertEquals(read({}), [false, []]);
  assertEquals(read({ GITHUB_TOKEN: "x" }), [true, reach]);
  assertEquals(read(address), [false, reach]);
  assertEquals(read({ ...address, GITHUB_TOKEN: "x" }), [true, reach]);
});

Deno.test("github: its check tells the requests left, or an Enterprise Server's version", async () => {
  await using api = start();
  const check = (url: string) => github.check(openIo(github, env(url)));
  assertEquals(await check(api.url), {
    says: "GitHub, 4990 of 5000 requests left",
  });
  await using server = start(CHECKOUT, { enterprise: "3.14.2" });
  assertEquals(await check(server.url), {
    says: "GitHub Enterprise Server 3.14.2",
  });
  api.fault = "401";
  await assertRejects(() => check(api.url), GapError, "Bad credentials");
});

Deno.test("github: of a credential in a text no part is left, wherever it is cut", async () => {
  const secret = `ghp_${"aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC2"}`;
  for (const length of [80, 100, 200]) {
    for (let before = length - 50; before < length; before += 3) {
      const text = `${"x ".repeat(before / 2)}${secret} and more`;
      const [newest, ...older] = CHECKOUT.deployments!;
      await using api = start({
        deployments: [
          {
            ...newest!,
            ref: text,
            description: text,
            creator: { login: text },
          },
          ...older,
        ],
        statuses: { "3": [status(text, "09:28", { description: text })] },
        comparisons: {
          [`${sha("2")}...${sha("3")}`]: {
            status: text,
            commits: [commit("a", text)],
            files: [{ filename: text }],
          },
        },
        pulls: { [sha("a")]: [pull(12, text)] },
      });
      const all = JSON.stringify(await ask(api.url));
      for (let from = 0; from + 4 <= secret.length; from++) {
        const part = secret.slice(from, from + 4);
        assert(!all.includes(part), `${part} of ${before} in ${length}`);
      }
    }
  }
});
