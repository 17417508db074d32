/**
 * PagerDuty's references to users, services, teams and the like. Pure.
 *
 * @module
 */
import { objectOf, textOf } from "../../base/json.ts";

export function nameOf(value: unknown, charsMax: number): string | undefined {
  const reference = objectOf(value) ?? {};
  return textOf(reference["summary"], charsMax) ??
    textOf(reference["name"], charsMax) ?? textOf(reference["id"], charsMax);
}
