/**
 * Asks Alertmanager what else fires, and what is silenced or inhibited.
 *
 * @see https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
 * @module
 */
import { optional as optionalSetting, url } from "../../base/config.ts";
import {
  type JsonObject,
  mapTexts,
  objectOf,
  stringOf,
} from "../../base/json.ts";
import { counted, removeUnseen, utcOf } from "../../base/text.ts";
import { WORST_FIRST } from "../../incident.ts";
import { toAlert } from "../../sources/alertmanager/alert.ts";
import { severityOf } from "../../sources/severity.ts";
import {
  type Collector,
  type CollectorIo,
  type Finding,
  GapError,
} from "../collector.ts";
import { dependencyIn } from "../subject.ts";
import { access, authority, hostOf, listOf } from "../setup.ts";
import { byTime, freeOf, wordsOf } from "../wording.ts";

const SETTINGS = {
  alertmanagerUrl: optionalSetting(url("ALERTMANAGER_URL", {
    about: "Alertmanager to ask what else fires and what is silenced",
  })),
  ...authority("alertmanager", "ALERTMANAGER", "Alertmanager"),
};
type Io = CollectorIo<typeof SETTINGS>;

const SHOWN_MAX = 100;
const NAMES_MAX = 8;
/** Of each of both kinds: together no more than a question's facts. */
const DESCRIBED_MAX = 3;
const ALERT_CHARS_MAX = 4000;

export const alertmanager = {
  name: "alertmanager",
  title: "Alertmanager",
  settings: SETTINGS,
  isOn: ({ alertmanagerUrl }) => alertmanagerUrl !== undefined,
  reach: ({ alertmanagerUrl }) => hostOf(alertmanagerUrl, "Alertmanager"),
  connect: (config) => ({
    title: "Alertmanager",
    url: config.alertmanagerUrl!,
    ...access({ ca: config.alertmanagerCa, token: config.alertmanagerToken }),
  }),
  questions: () => [
    { id: "others", what: "other alerts", rank: 4, kind: "alert" },
    {
      id: "silences",
      what: "silences and inhibitions",
      rank: 4,
      kind: "state",
    },
  ],
  ask: ({ id }, io) => id === "others" ? askAlerts(io) : askSilences(io),
  async check(io) {
    const { value } = await io.get("/api/v2/status");
    const info = objectOf(objectOf(value)?.["versionInfo"]) ?? {};
    return { says: `Alertmanager ${stringOf(info["version"])}`.trim() };
  },
} satisfies Collector<typeof SETTINGS>;

async function* askAlerts(io: Io): AsyncGenerator<Finding> {
  const { alerts, isPart } = await readAlerts(io);
  const ids = ownIds(io);
  const others = alerts.filter(({ id }) => !ids.has(id));
  if (isPart) {
    const why = "there are more than may be read, so only those of its " +
      "namespace were asked for";
    yield { gap: { what: "other alerts", why, kind: "cut" } };
  }
  if (others.length === 0) {
    yield { nothing: "no other alert" };
    return;
  }
  const firing = others.filter(({ state }) => state === "active");
  const near = firing.filter(({ labels }) => isNear(labels, io));
  const dependent = firing.filter(({ labels }) =>
    !isNear(labels, io) &&
    dependencyIn(labels.values(), io.subject) !== undefined
  );
  const list = listNames(near);
  const held = others.length - firing.length;
  yield {
    piece: {
      title: `${counted(others.length, "other alert")} in Alertmanager`,
      value: [...new Set([...near, ...dependent, ...others])]
        .slice(0, SHOWN_MAX)
        .map(({ whole }) => freeOf(whole, ALERT_CHARS_MAX)),
    },
    facts: [
      {
        name: "other alerts firing",
        value: `${firing.length}, ${near.length} of them here${
          list === "" ? "" : `: ${list}`
        }`,
        ...near.length > 0 && { health: "ill" as const },
      },
      ...describeNames(near).map((value) => ({ name: "also firing", value })),
      ...dependent.length === 0 ? [] : [{
        name: "alerts of dependencies",
        value: listNames(dependent),
        health: "ill" as const,
      }],
      ...describeNames(dependent).map((value) => ({
        name: "dependency firing",
        value,
      })),
      ...held === 0 ? [] : [{
        name: "other alerts silenced or inhibited",
        value: String(held),
      }],
    ],
    timeline: [...near, ...dependent].map((
      { labels, startsAt: at, summary },
    ) => ({
      at,
      text: `${labels.get("alertname") ?? "An alert"} fired${
        summary === undefined ? "" : `: ${summary}`
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

/**
 * `HighLoad ×3, warning, since 2026-01-15 09:30:00 UTC: 97 % used`, the worst
 * first, then the oldest.
 */
function describeNames(alerts: readonly Alert[]): string[] {
  const rank = ({ severity }: Alert) =>
    severity === undefined ? 2.5 : WORST_FIRST.indexOf(severity);
  const sorted = alerts.toSorted((a, b) => rank(a) - rank(b));
  const names = Map.groupBy(
    sorted,
    ({ labels }) => labels.get("alertname") ?? "an alert without a name",
  );
  return [...names].slice(0, DESCRIBED_MAX).map(([name, group]) => {
    const [{ severity, summary }] = group as [Alert];
    const since = group.map(({ startsAt }) => startsAt).toSorted()[0]!;
    return [
      name + (group.length === 1 ? "" : ` ×${group.length}`),
      severity ?? "of no severity",
      `since ${utcOf(since)}${summary === undefined ? "" : `: ${summary}`}`,
    ].join(", ");
  });
}

/** `OrdersDbDown, HighLoad ×3`. */
function listNames(alerts: readonly { labels: ReadonlyMap<string, string> }[]) {
  const names = Map.groupBy(
    alerts,
    ({ labels }) => labels.get("alertname") ?? "",
  );
  return [...names].slice(0, NAMES_MAX).map(([name, { length }]) =>
    length === 1 ? name : `${name} ×${length}`
  ).join(", ");
}

/** Those of the subject's namespace alone, if all are more than may be read. */
async function readAlerts(io: Io) {
  const { subject: { namespace } } = io;
  const ask = async (filter?: string) => {
    const { value } = await io.get("/api/v2/alerts", {
      query: [["filter", filter]],
    });
    return listOf(value, "alerts").map(readAlert).toSorted((a, b) =>
      byTime({ at: a.startsAt }, { at: b.startsAt }) ||
      (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
    );
  };
  try {
    return { alerts: await ask(), isPart: false };
  } catch (error) {
    const isCut = error instanceof GapError && error.kind === "cut";
    if (!isCut || namespace === undefined) throw error;
    const filter = `namespace=${JSON.stringify(namespace)}`;
    return { alerts: await ask(filter), isPart: true };
  }
}

/**
 * What holds the incident's own alerts back, as Alertmanager itself says: its
 * matchers are expressions of another language than ours.
 */
async function* askSilences(io: Io): AsyncGenerator<Finding> {
  const { alerts } = await readAlerts(io);
  const ids = ownIds(io);
  const own = alerts.filter(({ id }) => ids.has(id));
  const silencedBy = new Set(own.flatMap((alert) => alert.silencedBy));
  const inhibitedBy = new Set(own.flatMap((alert) => alert.inhibitedBy));
  const inhibiting = alerts.filter(({ fingerprint }) =>
    inhibitedBy.has(fingerprint)
  );
  const silences = silencedBy.size === 0 ? [] : await readSilences(io);
  const held = silences.filter(({ id }) => silencedBy.has(id));
  if (held.length + inhibiting.length === 0) {
    yield {
      nothing: own.length === 0
        ? "Alertmanager has none of its alerts now"
        : "no silence or inhibition touches it",
    };
    return;
  }
  yield {
    piece: {
      title: "Silences and inhibitions of its alerts",
      value: {
        silences: held.slice(0, SHOWN_MAX),
        inhibited_by: inhibiting.slice(0, SHOWN_MAX)
          .map(({ whole }) => freeOf(whole, ALERT_CHARS_MAX)),
      },
    },
    facts: [
      ...held.slice(0, 3).map(({ until, by, comment }) => ({
        name: "silenced",
        value: `until ${until} by ${by}: ${comment}`,
      })),
      ...inhibiting.slice(0, 3).map(({ labels }) => ({
        name: "inhibited by",
        value: labels.get("alertname") ?? "an alert without a name",
      })),
    ],
    timeline: held.map(({ from, by, comment }) => ({
      at: from,
      text: `${by} silenced its alerts: ${comment}`,
    })),
  };
}

async function readSilences(io: Io) {
  const { value } = await io.get("/api/v2/silences");
  return listOf(value, "silences").map((silence) => ({
    id: stringOf(silence["id"]),
    from: stringOf(silence["startsAt"]),
    until: stringOf(silence["endsAt"]),
    by: wordsOf(silence["createdBy"], 100) ?? "somebody",
    comment: wordsOf(silence["comment"], 300) ?? "no comment",
  })).toSorted((a, b) =>
    byTime({ at: a.from }, { at: b.from }) || (a.id < b.id ? -1 : 1)
  );
}

type Alert = ReturnType<typeof readAlert>;

function readAlert(whole: JsonObject) {
  // As a webhook's are read: an alert's labels tell whether it is one's own.
  const { labels, annotations } = toAlert(mapTexts(whole, removeUnseen));
  const status = objectOf(whole["status"]) ?? {};
  const ids = (value: unknown) =>
    (Array.isArray(value) ? value : []).map(stringOf);
  return {
    whole,
    labels,
    id: idOf(labels),
    fingerprint: stringOf(whole["fingerprint"]),
    summary: wordsOf(annotations.get("summary"), 200),
    severity: severityOf(labels.get("severity") ?? ""),
    startsAt: stringOf(whole["startsAt"]),
    state: stringOf(status["state"]),
    silencedBy: ids(status["silencedBy"]),
    inhibitedBy: ids(status["inhibitedBy"]),
  };
}

function idOf(labels: ReadonlyMap<string, string>): string {
  return JSON.stringify([...labels].toSorted());
}

/** Of the incident's own alerts. */
function ownIds({ subject }: Io): ReadonlySet<string> {
  return new Set(subject.alerts.map(({ labels }) => idOf(labels)));
}

/** Whether it is about the same place. */
function isNear(
  labels: ReadonlyMap<string, string>,
  { subject: { service, namespace } }: Io,
): boolean {
  const values = new Set(labels.values());
  return [service, namespace].some((name) =>
    name !== undefined && values.has(name)
  );
}
