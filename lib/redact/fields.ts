/**
 * What the name of a field in JSON says of its value. Pure.
 *
 * @module
 */
import { isWebhookField, kindOfName, mayNameObject } from "./names.ts";
import { personalField } from "./personal.ts";
import {
  holdsOnlyPlaceholders,
  type SecretClass,
  withoutPlaceholders,
} from "./span.ts";
import { isNumber, isObjectName, looksChosen, looksRandom } from "./values.ts";

/** Decides over a value by the fields that it stands in. */
export interface FieldRule {
  /** Whether all that stands below goes too. */
  readonly deep: boolean;
  /** The class of a value that goes as a whole; `undefined` if it stays. */
  take(value: unknown): SecretClass | undefined;
}

/** Maps whose values name things, whatever their keys say. */
const LABELS =
  /^(?:labels|(?:group|common|match|node|pod|alert|target|metric|resource|user|object|meta)_?labels|label_?sets?|selector|match_?expressions|tags|metric|annotations_labels)$/i;

/** In a reference to an object these fields say which. */
const REFERENCE =
  /^(?:name|namespace|kind|key|apiVersion|optional|type|version)$/;

/** Where a field stands. */
export interface FieldPlace {
  /** The rule of the field around. */
  readonly within: FieldRule | undefined;
  /** The name of the field around. */
  readonly parent: string | number | undefined;
  /** Whether fields that name people count. */
  readonly personal: boolean;
}

const MANIFEST_FIELD = /^(?:data|stringData)$/;

/** The rule for one field of an object. */
export function ruleOf(
  object: Record<string, unknown>,
  key: string,
  { within, parent, personal }: FieldPlace,
): FieldRule | undefined {
  if (within?.deep === true) {
    return REFERENCE.test(key) ? referenceRule : within;
  }
  // A Secret of Kubernetes holds nothing else, whatever its keys are called.
  if (object["kind"] === "Secret" && MANIFEST_FIELD.test(key)) {
    return secretRule;
  }
  const described = VALUE_FIELD.test(key) ? describedBy(object) : undefined;
  if (described !== undefined) return pairRule(described);
  const field = nameFor(object, key);
  const labelled = typeof parent === "string" && LABELS.test(parent);
  if (isWebhookField(field)) return labelled ? labelRule : secretRule;
  const kind = kindOfName(field);
  if (kind === undefined || kind === "weak" || kind === "opaque") {
    const name = !personal
      ? undefined
      : isPerson(object, key)
      ? "user"
      : personalField(field);
    if (name !== undefined) return personalRule(name, field);
    return kind === undefined ? undefined : weakRule;
  }
  if (labelled && mayNameObject(field)) return labelRule;
  return kind === "password" || kind === "pin" ? passwordRule : secretRule;
}

/** In a field of many, such as `users`, a number is how many. */
function personalRule(name: SecretClass, field: string): FieldRule {
  const take = takeText(name);
  const isMany = field.toLowerCase().endsWith("s");
  return {
    deep: false,
    take: (value) =>
      isMany && typeof value === "number" ? undefined : take(value),
  };
}

/** Whether it names somebody, as in PagerDuty's references to users. */
function isPerson(object: Record<string, unknown>, key: string): boolean {
  return /^user(?:_reference)?$/.test(String(object["type"])) &&
    /^(?:summary|name|title)$/.test(key);
}

/** Lists of variables and headers are written as {name, value}. */
function nameFor(object: Record<string, unknown>, key: string): string {
  if (!/^(?:value|val|content|data|default)$/i.test(key)) {
    return withoutPlaceholders(key);
  }
  for (const field of ["name", "key", "Name", "Key", "variable", "header"]) {
    const name = object[field];
    if (typeof name === "string") return withoutPlaceholders(name);
  }
  return withoutPlaceholders(key);
}

const VALUE_FIELD = /^(?:value|val|v|content|data|default|text)$/i;

/** The name of a value in a pair that is less sure, as of a form's field. */
function describedBy(object: Record<string, unknown>): string | undefined {
  for (const field of ["parameter", "field", "id", "label", "k", "param"]) {
    const name = object[field];
    if (typeof name === "string") return withoutPlaceholders(name);
  }
  return undefined;
}

/** Of a pair such as `["X-Api-Key", "…"]`: only what cannot be a word. */
export function pairRule(name: string): FieldRule | undefined {
  const kind = kindOfName(withoutPlaceholders(name));
  if (kind === undefined || kind === "weak") return undefined;
  const take = takeText("named");
  const isNamed = kind === "authorization" || kind === "cookie";
  return {
    deep: false,
    take: (value) =>
      typeof value === "string" && !/\s/.test(value) && (isNamed ||
          looksRandom(value) || kind === "password" && looksChosen(value) ||
          looksChosen(value) && !isObjectName(value))
        ? take(value)
        : undefined,
  };
}

const takeText = (name: SecretClass) => (value: unknown) =>
  typeof value === "string" && value !== "" && !holdsOnlyPlaceholders(value) ||
    typeof value === "number" && name !== "named"
    ? name
    : undefined;

const secretRule: FieldRule = { deep: true, take: takeText("named") };

const passwordRule: FieldRule = {
  deep: true,
  take: (value) =>
    typeof value === "number" ? "named" : takeText("named")(value),
};

/** A label may hold the name of a Secret or of a webhook's configuration. */
const labelRule: FieldRule = {
  deep: false,
  take: (value) =>
    typeof value === "string" && isObjectName(value)
      ? undefined
      : takeText("named")(value),
};

const referenceRule: FieldRule = { ...labelRule, deep: true };

/** `auth`, `key`, `signature`: only what looks random. */
const weakRule: FieldRule = {
  deep: false,
  take: (value) =>
    typeof value === "string" && !holdsOnlyPlaceholders(value) &&
      value.length >= 16 && !isNumber(value) &&
      !/[\s/.]|^[\da-f-]+$|^[a-z\d]+(?:-[a-z\d]+)+$/.test(value) &&
      looksRandom(value)
      ? "named"
      : undefined,
};
