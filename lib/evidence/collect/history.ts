/**
 * Looks up what this pack has posted about the same subject before. It asks no
 * other system: the poster keeps a list in Redis.
 *
 * @module
 */
import { integer } from "../../base/config.ts";
import { ageOf, counted } from "../../base/text.ts";
import { type HistoryItem, readHistory } from "../../history.ts";
import type { Collector, Finding } from "../collector.ts";
import { byTime } from "../wording.ts";

const SETTINGS = {
  historyDays: integer("HISTORY_DAYS", {
    about:
      "how many days of our own posts about the same subject are evidence; 0 for none",
    fallback: 30,
    min: 0,
    max: 365,
  }),
};

const DAY_MS = 24 * 3600_000;
const SHOWN_MAX = 20;

export const history = {
  name: "history",
  title: "The list of posts",
  settings: SETTINGS,
  isOn: ({ historyDays }) => historyDays > 0,
  reach: () => [],
  connect: () => undefined,
  questions: ({ key }, { historyDays }) =>
    key === undefined ? "the incident names no service or alert" : [{
      id: "posts",
      what: `posts about the same subject in ${historyDays} days`,
      rank: 3,
      kind: "history",
    }],
  async *ask(_, { now, subject, config, history }): AsyncGenerator<Finding> {
    const { historyDays } = config;
    const since = new Date(now.getTime() - historyDays * DAY_MS).toISOString();
    const items = (await history()).flatMap((text) => readHistory(text) ?? [])
      .filter(({ at, incidentId }) =>
        at >= since && at <= now.toISOString() &&
        incidentId !== subject.incidentId
      ).toSorted(byTime);
    const last = items.at(-1);
    if (last === undefined) {
      yield { nothing: `nothing was posted in ${historyDays} days` };
      return;
    }
    const incidents = new Set(items.map(({ incidentId }) => incidentId));
    const ago = ageOf(now.getTime() - Date.parse(last.at));
    yield {
      piece: {
        title: `${counted(items.length, "earlier post")} about it`,
        value: items.slice(-SHOWN_MAX),
      },
      facts: [
        {
          name: `incidents in ${historyDays} days`,
          value: `${incidents.size} before this one`,
        },
        { name: "last incident", value: `${ago} ago: ${describe(last)}` },
      ],
      timeline: items.slice(-SHOWN_MAX).map((item) => ({
        at: item.at,
        text: `Posted before: ${describe(item)}`,
      })),
    };
  },
  check: () => Promise.resolve({ says: "our own posts" }),
} satisfies Collector<typeof SETTINGS>;

function describe({ incidentId, severity, title }: HistoryItem): string {
  return `${severity} ${incidentId}${title === "" ? "" : `, "${title}"`}`
    .trim();
}
