/**
 * Reads the text behind an alert's runbook link, from origins that the operator
 * named and from no other.
 *
 * @module
 */
import { origins } from "../../base/config.ts";
import { stringOf } from "../../base/json.ts";
import type { Collector, Finding, Question } from "../collector.ts";
import { stepsOf } from "../runbook_steps.ts";
import { hostOf } from "../setup.ts";
import type { Subject } from "../subject.ts";

const SETTINGS = {
  runbookOrigins: origins("RUNBOOK_ORIGINS", {
    about:
      "origins such as https://wiki.example.com whose runbooks are read, comma-separated",
    fallback: "",
  }),
};

const RUNBOOKS_MAX = 2;
const TEXT_BYTES_MAX = 64 * 1024;
const TYPES = ["text/markdown", "text/x-markdown", "text/plain"];
const ANNOTATIONS = ["runbook_url", "runbook", "runbookURL", "runbook_link"];

export const runbook = {
  name: "runbook",
  title: "The runbook's site",
  settings: SETTINGS,
  isOn: ({ runbookOrigins }) => runbookOrigins.length > 0,
  reach: ({ runbookOrigins }) =>
    runbookOrigins.flatMap((origin) => hostOf(origin, "runbooks")),
  connect({ runbookOrigins }, question) {
    const url = question === undefined
      ? runbookOrigins[0]!
      : new URL(question.what.slice(WHAT.length)).origin;
    return { title: "The runbook's site", url };
  },
  questions(subject, { runbookOrigins }) {
    const links = linksOf(subject);
    if (links.length === 0) {
      return "neither alert nor catalogue names a runbook";
    }
    const allowed = links.filter(({ origin }) =>
      runbookOrigins.includes(origin)
    );
    if (allowed.length === 0) {
      return "the origin of its runbook is not in RUNBOOK_ORIGINS";
    }
    return allowed.slice(0, RUNBOOKS_MAX).map((url, at): Question => ({
      id: `text-${at + 1}`,
      what: WHAT + url.href,
      rank: 9,
      kind: "state",
    }));
  },
  async *ask({ what }, io): AsyncGenerator<Finding> {
    const url = new URL(what.slice(WHAT.length));
    const { value } = await io.get(url.pathname, {
      query: url.searchParams,
      text: TYPES,
    });
    const whole = stringOf(value);
    if (whole.trim() === "") {
      yield { nothing: "the page is empty" };
      return;
    }
    const text = cut(whole);
    yield {
      piece: {
        title: `Runbook ${url.href}`,
        text,
        contentType: "text/markdown",
      },
      facts: [
        { name: "runbook", value: url.href },
        ...stepsOf(text).map((value, at) => ({
          name: `runbook, step ${at + 1}`,
          value,
        })),
      ],
    };
    if (text.length < whole.length) {
      const why = `at most ${TEXT_BYTES_MAX / 1024} KiB are kept`;
      yield { gap: { what: "rest of the runbook", why, kind: "cut" } };
    }
  },
  async check(io) {
    await io.get("/", { text: [...TYPES, "text/html"] });
    return { says: "its first page" };
  },
} satisfies Collector<typeof SETTINGS>;

const WHAT = "runbook ";

/** Plain addresses, the worst alert's first, each once. */
function linksOf({ alerts, entry }: Subject): URL[] {
  const given = [
    ...alerts.flatMap(({ annotations }) =>
      ANNOTATIONS.map((name) => annotations.get(name))
    ),
    entry?.runbook,
  ];
  const links = new Map<string, URL>();
  for (const text of given) {
    const url = URL.parse(text ?? "");
    if (url === null || !/^https?:$/.test(url.protocol)) continue;
    url.hash = url.username = url.password = "";
    links.set(url.href, url);
  }
  return [...links.values()];
}

function cut(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= TEXT_BYTES_MAX) return text;
  return new TextDecoder().decode(
    bytes.subarray(0, TEXT_BYTES_MAX),
    { stream: true }, // Leaves half a character at the end out.
  );
}
