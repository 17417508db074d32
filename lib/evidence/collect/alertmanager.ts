/**
 * Asks Alertmanager what else fires, and what is silenced or inhibited.
 *
 * @see https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
 * @module
 */
import { optional as optionalSetting, url } from "../../base/config.ts";
import { objectOf, stringOf } from "../../base/json.ts";
import { shorten } from "../../base/text.ts";
import type { Collector, CollectorIo, Finding } from "../collector.ts";
import { authority, bearer, hostOf, listOf } from "../setup.ts";

const SETTINGS = {
  alertmanagerUrl: optionalSetting(url("ALERTMANAGER_URL", {
    about: "Alertmanager to ask what else fires and what is silenced",
  })),
  ...authority("alertmanager", "ALERTMANAGER", "Alertmanager"),
};
type Io = CollectorIo<typeof SETTINGS>;

const SHOWN_MAX = 100;
const NAMES_MAX = 8;

export const alertmanager = {
  name: "alertmanager",
  title: "Alertmanager",
  settings: SETTINGS,
  isOn: ({ alertmanagerUrl }) => alertmanagerUrl !== undefined,
  reach: ({ alertmanagerUrl }) => hostOf(alertmanagerUrl, "Alertmanager"),
  connect: (config) => ({
    title: "Alertmanager",
    url: config.alertmanagerUrl!,
    ...bearer(config.alertmanagerToken, config.alertmanagerCa),
  }),
  questions: () => [
    { id: "others", what: "other alerts", rank: 4, kind: "alert" },
    { id: "silences", what: "silences", rank: 4, kind: "state" },
  ],
  ask: ({ id }, io) => id === "others" ? askAlerts(io) : askSilences(io),
  async check(io) {
    const { value } = await io.get("/api/v2/status");
    const info = objectOf(objectOf(value)?.["versionInfo"]) ?? {};
    return { says: `Alertmanager ${stringOf(info["version"])}`.trim() };
  },
} satisfies Collector<typeof SETTINGS>;

async function* askAlerts(io: Io): AsyncGenerator<Finding> {
  const { value } = await io.get("/api/v2/alerts");
  const alerts = listOf(value, "alerts").map(readAlert);
  const own = new Set(io.subject.alerts.map(({ labels }) => idOf(labels)));
  const others = alerts.filter(({ labels }) => !own.has(idOf(labels)));
  if (others.length === 0) {
    yield { nothing: "no other alert" };
    return;
  }
  const firing = others.filter(({ state }) => state === "active");
  const near = firing.filter(({ labels }) => isNear(labels, io));
  const names = Map.groupBy(
    near,
    ({ labels }) => labels.get("alertname") ?? "",
  );
  const list = [...names].slice(0, NAMES_MAX).map(([name, { length }]) =>
    length === 1 ? name : `${name} ×${length}`
  ).join(", ");
  const held = others.length - firing.length;
  yield {
    piece: {
      title: `${others.length} other alerts in Alertmanager`,
      value: others.slice(0, SHOWN_MAX).map(({ whole }) => whole),
    },
    facts: [
      {
        name: "other alerts firing",
        value: `${firing.length}, ${near.length} of them here${
          list === "" ? "" : `: ${list}`
        }`,
      },
      ...held === 0 ? [] : [{
        name: "other alerts silenced or inhibited",
        value: String(held),
      }],
    ],
    timeline: near.toSorted((a, b) => a.startsAt < b.startsAt ? -1 : 1).map((
      { labels, startsAt, summary },
    ) => ({
      at: startsAt,
      text: `${labels.get("alertname") ?? "An alert"} fired${
        summary === "" ? "" : `: ${shorten(summary, 200)}`
      }`,
    })),
  };
  if (others.length > SHOWN_MAX) {
    yield {
      gap: {
        what: "other alerts",
        why: `at most ${SHOWN_MAX} are kept`,
        kind: "cut",
        got: SHOWN_MAX,
        of: others.length,
      },
    };
  }
}

async function* askSilences(io: Io): AsyncGenerator<Finding> {
  const { value } = await io.get("/api/v2/silences");
  const active = listOf(value, "silences").filter((silence) =>
    objectOf(silence["status"])?.["state"] === "active" &&
    touches(silence["matchers"], io)
  );
  if (active.length === 0) {
    yield { nothing: "no silence touches it" };
    return;
  }
  yield {
    piece: {
      title: `${active.length} silences that touch this incident`,
      value: active.slice(0, SHOWN_MAX),
    },
    facts: active.slice(0, 3).map((silence) => ({
      name: "silenced",
      value: `until ${stringOf(silence["endsAt"])} by ${
        stringOf(silence["createdBy"])
      }: ${stringOf(silence["comment"])}`,
    })),
    timeline: active.map((silence) => ({
      at: stringOf(silence["startsAt"]),
      text: `${stringOf(silence["createdBy"])} silenced alerts: ${
        stringOf(silence["comment"])
      }`,
    })),
  };
}

function readAlert(whole: Record<string, unknown>) {
  const texts = (value: unknown) =>
    new Map(
      Object.entries(objectOf(value) ?? {}).map(([name, text]) =>
        [name, stringOf(text)] as const
      ),
    );
  return {
    whole,
    labels: texts(whole["labels"]),
    summary: texts(whole["annotations"]).get("summary") ?? "",
    startsAt: stringOf(whole["startsAt"]),
    state: stringOf(objectOf(whole["status"])?.["state"]),
  };
}

function idOf(labels: ReadonlyMap<string, string>): string {
  return JSON.stringify([...labels].toSorted());
}

/** Whether it is about the same place: service, namespace, or cluster and host. */
function isNear(
  labels: ReadonlyMap<string, string>,
  { subject: { service, namespace } }: Io,
): boolean {
  const values = new Set(labels.values());
  return [service, namespace].some((name) =>
    name !== undefined && values.has(name)
  );
}

function touches(matchers: unknown, { subject: { alerts } }: Io): boolean {
  const all = listOf(matchers, "matchers");
  return alerts.some(({ labels }) =>
    all.every(({ name, value, isRegex, isEqual = true }) => {
      const own = labels.get(stringOf(name)) ?? "";
      const wanted = stringOf(value);
      const is = isRegex === true ? isLike(own, wanted) : own === wanted;
      return is === isEqual;
    })
  );
}

/** Of a pattern that this machine cannot read, nothing is known. */
function isLike(text: string, pattern: string): boolean {
  if (pattern.length > 500) return false;
  try {
    return new RegExp(`^(?:${pattern})$`).test(text.slice(0, 500));
  } catch {
    return false;
  }
}
