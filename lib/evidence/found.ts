/**
 * Redacts and bounds what a collector has found beside facts and texts, so that
 * a bundle with it is valid. Pure.
 *
 * @module
 */
import { optional } from "../base/json.ts";
import { shorten } from "../base/text.ts";
import type { Change, MetricSeries } from "../collected.ts";
import type { Redaction } from "../redact/redaction.ts";
import { redactUrl } from "../sources/without_secrets.ts";
import type { FoundSeries } from "./collector.ts";

/** As the schema of a bundle has them. */
const SERIES_MAX = 5;
const ALERT_CHARS_MAX = 150;
const EXPRESSION_CHARS_MAX = 300;
const NAME_CHARS_MAX = 100;
const VERSION_CHARS_MAX = 200;
const URL_CHARS_MAX = 2000;

/** A change whose texts are redacted and short enough; blank ones are left out. */
export function boundChange(change: Change, redaction: Redaction): Change {
  const { what, url } = change;
  const words = (text: string | undefined, charsMax = NAME_CHARS_MAX) =>
    shorten(redaction.text(text ?? "").trim(), charsMax) || undefined;
  const link = redactUrl(url, redaction.kept);
  return {
    what,
    ...optional("of", words(change.of)),
    ...optional("version", words(change.version, VERSION_CHARS_MAX)),
    ...optional("where", words(change.where)),
    ...optional("by", words(change.by)),
    ...optional("state", words(change.state)),
    ...optional("says", words(change.says, VERSION_CHARS_MAX)),
    ...optional(
      "url",
      (link?.length ?? Infinity) > URL_CHARS_MAX ? undefined : link,
    ),
  };
}

/** A series whose texts are redacted and short enough. */
export function boundSeries(
  series: FoundSeries,
  redaction: Redaction,
): FoundSeries {
  const { alert, expression, of } = series;
  const words = (text: string, charsMax: number) =>
    shorten(redaction.text(text).trim() || "unknown", charsMax);
  return {
    ...series,
    alert: words(alert, ALERT_CHARS_MAX),
    expression: words(expression, EXPRESSION_CHARS_MAX),
    ...of === undefined ? {} : { of: words(of, NAME_CHARS_MAX) },
  };
}

/** At most five: the first of each alert before the second of any. */
export function fewSeries(all: readonly MetricSeries[]): MetricSeries[] {
  const ranked = all.map((one, at) => ({
    one,
    nth: all.slice(0, at).filter(({ alert }) => alert === one.alert).length,
  }));
  return ranked.toSorted((a, b) => a.nth - b.nth).slice(0, SERIES_MAX)
    .map(({ one }) => one);
}
