/**
 * Where a credential stands, and what the finders share. Pure.
 *
 * @module
 */

/** The classes of credentials; of overlapping ones the first decides. */
export const SECRET_CLASSES = [
  "private-key",
  "webhook-url",
  "url-password",
  "authorization",
  "jwt",
  "aws-key",
  "token",
  "cookie",
  "named",
  "encoded",
  "email",
  "ip-address",
  "phone",
  "account",
  "user",
] as const;

/** What kind of secret a placeholder stands for. */
export type SecretClass = typeof SECRET_CLASSES[number];

/** Where one stands in a text. */
export interface Span {
  start: number;
  end: number;
  name: SecretClass;
}

const [BRACKET, PERCENT] = [91, 37];
/** As it is, and as it stands in a URL. */
const PLACEHOLDER =
  /\[secret:[a-z-]{2,20}#\d{1,6}\]|%5[Bb]secret(?:%3[Aa]|:)[a-z-]{2,20}%23\d{1,6}%5[Dd]/y;

/** The end of a placeholder that starts at `at`; `at` if none does. */
export function skipPlaceholder(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first !== BRACKET && first !== PERCENT) return at;
  PLACEHOLDER.lastIndex = at;
  return PLACEHOLDER.test(text) ? PLACEHOLDER.lastIndex : at;
}

/** Whether a value is one placeholder and nothing else, perhaps in a URL. */
export function isPlaceholder(value: string): boolean {
  return value !== "" && skipPlaceholder(value, 0) === value.length;
}

/** Spans in order, those that overlap as one. */
export function mergeSpans(spans: Span[]): Span[] {
  if (spans.length < 2) return spans;
  if (!spans.every(isInOrder)) {
    spans.sort((a, b) => a.start - b.start || b.end - a.end);
  }
  let kept = 0;
  for (const span of spans) {
    const last = spans[kept - 1];
    if (last === undefined || span.start >= last.end) {
      spans[kept++] = span;
      continue;
    }
    last.end = Math.max(last.end, span.end);
    if (
      span.name !== last.name &&
      SECRET_CLASSES.indexOf(span.name) < SECRET_CLASSES.indexOf(last.name)
    ) last.name = span.name;
  }
  spans.length = kept;
  return spans;
}

function isInOrder(span: Span, at: number, spans: readonly Span[]): boolean {
  return at === 0 || spans[at - 1]!.start < span.start;
}

const PLACEHOLDERS = /\[secret:[a-z-]{2,20}#\d{1,6}\]/g;
const PUNCTUATION = /^[\s.,;:!?()[\]"'`“”…\\]*$/;

/** A text without its placeholders. */
export function withoutPlaceholders(text: string): string {
  return text.replaceAll(PLACEHOLDERS, "");
}

/** Whether a value is a list of placeholders and nothing else. */
export function holdsOnlyPlaceholders(value: string): boolean {
  return isPlaceholder(value) ||
    value.includes("[secret:") && /^[\s,]*$/.test(withoutPlaceholders(value));
}

/**
 * The spans without those that are only a placeholder. One that ends within a
 * placeholder takes all of it.
 */
export function keepPlaceholders(text: string, spans: readonly Span[]): Span[] {
  const held = [...text.matchAll(PLACEHOLDERS)].map(({ 0: found, index }) => ({
    start: index,
    end: index + found.length,
  }));
  let at = 0;
  const kept: Span[] = [];
  for (const { name, ...span } of spans) {
    let { start, end } = span;
    while (at < held.length && held[at]!.end <= start) at++;
    let count = 0;
    for (let next = at; next < held.length && held[next]!.start < end; next++) {
      start = Math.min(start, held[next]!.start);
      end = Math.max(end, held[next]!.end);
      count++;
    }
    const rest = count === 1 ? withoutPlaceholders(text.slice(start, end)) : "";
    if (count === 1 && PUNCTUATION.test(rest)) continue;
    kept.push({ start, end, name });
  }
  return mergeSpans(kept);
}
