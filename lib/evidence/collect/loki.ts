/**
 * Asks Loki for the first error lines around the start, grouped by what they
 * say, and which of these are new against the hour before.
 *
 * @see https://grafana.com/docs/loki/latest/reference/loki-http-api/
 * @module
 */
import { optional as optionalSetting, url } from "../../base/config.ts";
import { objectOf, optional } from "../../base/json.ts";
import { counted, shorten, utcOf } from "../../base/text.ts";
import { isService } from "../../sources/alertmanager/labels.ts";
import {
  type Collector,
  type CollectorIo,
  type Finding,
  GapError,
} from "../collector.ts";
import { deploymentOfPod } from "../../workload.ts";
import { groupLines, type LogGroup, type LogLine } from "../log_templates.ts";
import { access, account, authority, hostOf, listOf } from "../setup.ts";
import type { Subject } from "../subject.ts";
import { wordsOf } from "../wording.ts";

const SETTINGS = {
  lokiUrl: optionalSetting(url("LOKI_URL", {
    about: "Loki to ask for the first error lines",
  })),
  ...authority("loki", "LOKI", "Loki"),
  ...account("loki", "LOKI", { title: "Loki", systems: "Loki" }),
};
type Io = CollectorIo<typeof SETTINGS>;

const MINUTE_MS = 60_000;
const EARLIER_MS = 5 * MINUTE_MS;
const SPAN_MS = 60 * MINUTE_MS;
const LINES_MAX = 100;
/** More, since these only tell what is new. */
const LINES_BEFORE_MAX = 500;
const GROUPS_MAX = 30;
const LISTED_MAX = 20;
const FACTS_MAX = 6;
const TEXT_CHARS_MAX = 250;
/** Where nobody said how to tell errors from other lines. */
const ERRORS =
  "|~ `(?i)(error|exception|fatal|panic|traceback|critical|out of memory|refused|time(d )?out|failed)`";
const SELECTOR = /^\{(?:[^"`}]|"(?:[^"\\]|\\.)*"|`[^`]*`)*\}/;

export const loki = {
  name: "loki",
  title: "Loki",
  settings: SETTINGS,
  isOn: ({ lokiUrl }) => lokiUrl !== undefined,
  reach: ({ lokiUrl }) => hostOf(lokiUrl, "Loki"),
  connect: (config) => ({
    title: "Loki",
    url: config.lokiUrl!,
    ...access({
      ca: config.lokiCa,
      token: config.lokiToken,
      username: config.lokiUsername,
      password: config.lokiPassword,
      tenant: config.lokiTenant,
    }),
  }),
  questions(subject) {
    const selector = selectorOf(subject);
    if (selector === undefined) {
      return "no log stream is known: alerts need a label such as namespace or app, or the catalogue's entry logs";
    }
    const from = new Date(Date.parse(subject.startedAt) - EARLIER_MS);
    return [{
      id: "errors",
      what: `errors in the logs of ${shorten(selector, 100)} since ${
        utcOf(from.toISOString())
      }`,
      rank: 6,
      kind: "log",
    }];
  },
  ask: (_, io) => askErrors(io),
  async check(io) {
    const { value } = await io.get("/loki/api/v1/labels");
    const names = objectOf(value)?.["data"] ?? [];
    return {
      says: `Loki with ${
        counted(Array.isArray(names) ? names.length : 0, "label")
      }`,
    };
  },
} satisfies Collector<typeof SETTINGS>;

/** The catalogue's selector, or one of the labels that Loki's agents set. */
function selectorOf({ entry, namespace, service, labels }: Subject) {
  if (entry?.logs !== undefined) return entry.logs;
  const equal = (name: string, value: string | undefined) =>
    value === undefined ? [] : [`${name}=${JSON.stringify(value)}`];
  const pod = labels.get("pod");
  // All pods of it, since those that ended may have said most.
  const deployment = labels.get("deployment") ??
    (pod && deploymentOfPod(pod));
  const own = labels.has("app") ? equal("app", labels.get("app")) : [
    ...deployment === undefined
      ? equal("pod", pod)
      : [`pod=~${JSON.stringify(`${escaped(deployment)}-.+`)}`],
    ...equal("container", labels.get("container")),
  ];
  const isApp = [...labels].some(([name, value]) =>
    value === service && isService(name)
  );
  const matchers = [
    ...equal("namespace", namespace),
    ...own.length > 0 || !isApp ? own : equal("app", service),
  ];
  return matchers.length === 0 ? undefined : `{${matchers.join(", ")}}`;
}

/** Not by `RegExp.escape()`, which leaves no name readable. */
function escaped(name: string): string {
  return name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

async function* askErrors(io: Io): AsyncGenerator<Finding> {
  const { subject, now } = io;
  const selector = selectorOf(subject)!;
  const isFiltered = selector.replace(SELECTOR, "").trim() !== "";
  const query = isFiltered ? selector : `${selector} ${ERRORS}`;
  const start = Date.parse(subject.startedAt);
  const from = start - EARLIER_MS;
  const to = Math.min(now.getTime(), start + SPAN_MS);
  const max = LINES_MAX;
  let lines = await readLines(query, { from, to, max }, io);
  if (lines.length === 0) {
    yield { nothing: `no error line under ${selector}, or no such labels` };
    return;
  }
  const found = {
    query,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    ...optional("catalog", subject.entry?.logs && subject.entry.name),
  };
  yield describe(lines, { found });
  if (lines.length >= max) {
    let since = "";
    if (lines.at(-1)!.at < `${start}000000` && start < to) {
      // They are noise of before: what the incident said comes after.
      lines = [
        ...lines,
        ...await readLines(query, { from: start, to, max }, io),
      ];
      yield describe(lines, { found });
      since = ` of 5 min before the start, and ${max} since`;
    }
    const why = `only the first ${max}${since} are read`;
    const got = lines.length;
    yield { gap: { what: "error lines", why, kind: "cut", got } };
  }
  const before = await readLines(query, {
    from: from - SPAN_MS,
    to: from,
    max: LINES_BEFORE_MAX,
    isBackward: true,
  }, io);
  const known = new Set(groupLines(before).map(({ template }) => template));
  yield describe(lines, { found, known });
  if (before.length >= LINES_BEFORE_MAX) {
    yield {
      gap: {
        what: "error lines of the hour before",
        why:
          `what is new is judged by the last ${LINES_BEFORE_MAX} of them alone`,
        kind: "cut",
        got: before.length,
      },
    };
  }
}

/** @param known Templates of the hour before, once that was read. */
function describe(
  lines: readonly LogLine[],
  { found, known }: { found: object; known?: ReadonlySet<string> },
): Finding {
  const groups = groupLines(lines);
  const isNew = ({ template }: LogGroup) =>
    known !== undefined && !known.has(template);
  const fresh = groups.filter(isNew);
  const sorted = [...fresh, ...groups.filter((group) => !isNew(group))];
  const kinds = counted(groups.length, "kind");
  const compared = known === undefined
    ? ""
    : `, ${fresh.length} of them new against the hour before`;
  return {
    piece: {
      title: `${counted(lines.length, "error line")} of ${kinds}`,
      value: {
        ...found,
        groups: sorted.slice(0, GROUPS_MAX).map((group) => ({
          count: group.count,
          first: momentOf(group.first),
          last: momentOf(group.last),
          example: wordsOf(group.example, 2 * TEXT_CHARS_MAX),
          ...known === undefined ? {} : { is_new: isNew(group) },
        })),
        lines: lines.slice(0, LISTED_MAX).map(({ at, text }) => ({
          at: momentOf(at),
          text: wordsOf(text, 2 * TEXT_CHARS_MAX),
        })),
        of: { groups: groups.length, lines: lines.length },
      },
    },
    facts: [
      { name: "error lines", value: `${lines.length} of ${kinds}${compared}` },
      ...sorted.slice(0, FACTS_MAX).map((group) => ({
        name: isNew(group)
          ? "new error"
          : known === undefined
          ? "error"
          : "error as before",
        value: `${exampleOf(group)} ×${group.count}, first ${
          momentOf(group.first).slice(11, 19)
        } UTC`,
        // An error as before is no sign of this incident, nor of health.
        ...(isNew(group) || known === undefined) && { health: "ill" as const },
      })),
    ],
    timeline: (known === undefined ? groups : fresh).slice(0, FACTS_MAX).map(
      (group) => ({
        at: momentOf(group.first),
        text: `${isNew(group) ? "New error" : "Error"} in the logs: ${
          exampleOf(group)
        }`,
      }),
    ),
  };
}

function exampleOf({ example }: LogGroup): string {
  return wordsOf(example, TEXT_CHARS_MAX) ?? "an empty line";
}

/** Reads lines of all streams, the earliest first. */
async function readLines(
  query: string,
  { from, to, max, isBackward = false }: {
    from: number;
    to: number;
    max: number;
    isBackward?: boolean;
  },
  io: Io,
): Promise<LogLine[]> {
  const { value } = await io.get("/loki/api/v1/query_range", {
    query: [
      ["query", query],
      // A number cannot hold so many digits.
      ["start", `${from}000000`],
      ["end", `${to}000000`],
      ["limit", String(max)],
      ["direction", isBackward ? "backward" : "forward"],
    ],
  });
  const data = objectOf(objectOf(value)?.["data"]);
  if (data?.["resultType"] !== "streams") {
    throw new GapError("broken", "Loki answered in another form");
  }
  const lines = listOf(data["result"], "streams").flatMap(({ values }) =>
    (Array.isArray(values) ? values : []).flatMap((pair): LogLine[] => {
      const [at, text] = Array.isArray(pair) ? pair as unknown[] : [];
      return typeof at === "string" && /^\d{19}$/.test(at) &&
          typeof text === "string"
        ? [{ at, text }]
        : [];
    })
  ).toSorted((a, b) =>
    a.at === b.at ? (a.text < b.text ? -1 : 1) : a.at < b.at ? -1 : 1
  );
  return isBackward ? lines.slice(-max) : lines.slice(0, max);
}

/** RFC 3339, to the millisecond. */
function momentOf(ns: string): string {
  return new Date(Number(ns.slice(0, -6))).toISOString();
}
