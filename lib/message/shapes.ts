/**
 * The messages that this pack writes, as one table: what an approver is shown is
 * all that a message holds, because nothing else is accepted. Pure.
 *
 * Versions 0.2.0 and 0.3.0 wrote a part of the same shapes, so a message of
 * theirs that still waits is accepted, at least until 0.5.0: a shape leaves this
 * table no sooner than one minor version after the pack stopped writing it.
 *
 * @module
 */
import { isObject } from "../base/json.ts";
import {
  type Control,
  CONTROLS,
  evidenceLinksOf,
  isPlainUrl,
  readControl,
} from "./controls.ts";
import {
  BLOCKS_MAX,
  HEADER_CHARS_MAX,
  SECTION_CHARS_MAX,
} from "./block_kit.ts";

/** Says what is wrong with a value, without quoting it. */
type Shape = (value: unknown) => string | undefined;

/** Slack's limits for what the pack itself keeps shorter. */
const CONTEXT_TEXTS_MAX = 10;
const BUTTONS_MAX = 25;
const LABEL_CHARS_MAX = 75;
const TEXT_CHARS_MAX = 4000;

const is = (expected: unknown): Shape => (value) =>
  value === expected ? undefined : `is not ${JSON.stringify(expected)}`;

/** Buttons open a page, by kind and number. */
const ACTION_ID =
  /^open_(?:incident|run|bridge|runbook|graph|dashboard|panel|logs|silence|change)(?:_[2-5])?$/;

const actionId: Shape = (value) =>
  ACTION_ID.test(String(value)) && typeof value === "string"
    ? undefined
    : "is not known";

const textUpTo = (charsMax: number): Shape => (value) =>
  typeof value !== "string" || value.trim() === "" || value.length > charsMax
    ? `is not a text of 1 to ${charsMax} characters`
    : undefined;

/**
 * mrkdwn whose only markup is formatting and, of control sequences, these kinds:
 * no mention, and no hidden address.
 */
const inertUpTo =
  (charsMax: number, kinds: readonly Control["kind"][] = []): Shape =>
  (value) =>
    textUpTo(charsMax)(value) ??
      (isInert(String(value), kinds)
        ? undefined
        : "has markup that is not escaped");

function isInert(text: string, kinds: readonly Control["kind"][]): boolean {
  const rest = text.replace(CONTROLS, (whole, inner: string) => {
    const control = readControl(inner);
    return control !== undefined && kinds.includes(control.kind) ? "" : whole;
  });
  return !/[<>]|&(?!(?:amp|lt|gt);)/.test(rest);
}

const webUrl: Shape = (value) =>
  typeof value === "string" && isPlainUrl(value)
    ? undefined
    : "is not a plain http or https address";

/**
 * An object with these keys and no others. A switch may be missing: it hides
 * nothing from the approver.
 */
const object = (
  shapes: Readonly<Record<string, Shape>>,
  switches: Readonly<Record<string, Shape>> = {},
): Shape =>
(value) => {
  if (!isObject(value)) return "is not an object";
  const known = { ...shapes, ...switches };
  if (Object.keys(value).some((key) => !Object.hasOwn(known, key))) {
    return "has a part that is not known";
  }
  for (const [key, shape] of Object.entries(known)) {
    if (!Object.hasOwn(value, key)) {
      if (Object.hasOwn(switches, key)) continue;
      return `has no "${key}"`;
    }
    const problem = shape(value[key]);
    if (problem !== undefined) return within(`"${key}"`, problem);
  }
};

const list = (countMax: number, shape: Shape): Shape => (value) => {
  const count = Array.isArray(value) ? value.length : 0;
  if (count === 0 || count > countMax) {
    return `is not a list of 1 to ${countMax}`;
  }
  for (const [at, item] of (value as unknown[]).entries()) {
    const problem = shape(item);
    if (problem !== undefined) return within(`item ${at + 1}`, problem);
  }
};

function within(part: string, problem: string): string {
  return /^(?:"|item )/.test(problem)
    ? `${part}, ${problem}`
    : `${part} ${problem}`;
}

const plainText = (charsMax: number) =>
  object({
    type: is("plain_text"),
    text: textUpTo(charsMax),
  }, { emoji: is(false) });
const mrkdwn = (...kinds: Control["kind"][]) =>
  object({
    type: is("mrkdwn"),
    text: inertUpTo(SECTION_CHARS_MAX, kinds),
  }, { verbatim: is(true) });

const BLOCKS: Readonly<Record<string, Shape>> = {
  header: object({ type: is("header"), text: plainText(HEADER_CHARS_MAX) }),
  section: object({ type: is("section"), text: mrkdwn("address", "date") }),
  context: object({
    type: is("context"),
    elements: list(CONTEXT_TEXTS_MAX, mrkdwn("evidence")),
  }),
  actions: object({
    type: is("actions"),
    block_id: is("links"),
    elements: list(
      BUTTONS_MAX,
      object({
        type: is("button"),
        text: plainText(LABEL_CHARS_MAX),
        url: webUrl,
        action_id: actionId,
      }),
    ),
  }),
};

const block: Shape = (value) => {
  const type = isObject(value) ? value["type"] : undefined;
  return typeof type === "string" && Object.hasOwn(BLOCKS, type)
    ? BLOCKS[type]!(value)
    : `is no block of type ${Object.keys(BLOCKS).join(", ")}`;
};

const message = object({
  text: inertUpTo(TEXT_CHARS_MAX),
  // One is left for the footer.
  blocks: list(BLOCKS_MAX - 1, block),
});

/**
 * Says why a value is no message of this pack, such as `"blocks", item 2, "text"
 * has a part that is not known`; `undefined` if it is one. Quotes none of it.
 */
export function findForeignPart(value: unknown): string | undefined {
  return message(value) ?? findSecondSite(value);
}

/** All evidence is in one place, so one link that leads elsewhere stands out. */
function findSecondSite(value: unknown): string | undefined {
  const sites = new Set(
    evidenceLinksOf(JSON.stringify(value)).map(({ url }) =>
      URL.parse(url)?.origin
    ),
  );
  return sites.size > 1 ? "has evidence in more than one place" : undefined;
}
