/**
 * Numbers as people write them. Pure.
 *
 * @module
 */

const BYTES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const DIGITS = 2;
/** A configured number is told as it is. */
const DIGITS_MAX = 6;

/**
 * A number in two digits that count, or three from ten on, with its unit: `2.4
 * s`, `97.4 %`. Bytes are told in the largest unit that leaves one of it.
 *
 * @param digits For numbers below ten.
 */
export function amount(
  value: number,
  unit?: string,
  digits = DIGITS,
): string {
  if (unit !== "B") {
    return digitsOf(value, digits) + (unit === undefined ? "" : ` ${unit}`);
  }
  let size = value;
  let at = 0;
  while (Math.abs(size) >= 1024 && at < BYTES.length - 1) {
    size /= 1024;
    at++;
  }
  return `${digitsOf(size, digits)} ${BYTES[at]}`;
}

/** A limit, with all its digits. */
export function exactAmount(value: number, unit?: string): string {
  return amount(value, unit, DIGITS_MAX);
}

function digitsOf(value: number, digits: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) {
    return value.toExponential(2);
  }
  if (size >= 1000) {
    const isExact = digits === DIGITS_MAX && size < 1e6;
    return String(isExact ? Number(value.toPrecision(8)) : Math.round(value));
  }
  return String(Number(value.toPrecision(size >= 10 ? digits + 1 : digits)));
}

/** The unit of a text such as `2 s`, if its number is this one. */
export function unitOf(
  text: string | undefined,
  value: number | undefined,
): string | undefined {
  const [, number = "", unit] =
    /^(-?\d[\d ,]*(?:\.\d+)?)\s*([%\p{L}°][\p{L}\d/%°]{0,9})$/u
      .exec(text?.trim() ?? "") ?? [];
  const isSame = value !== undefined && number !== "" &&
    Number(number.replace(/[ ,]/g, "")) === value;
  return isSame ? unit : undefined;
}
