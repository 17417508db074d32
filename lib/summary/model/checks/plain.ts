/**
 * A claim holds no address, no mention and no markup, and only letters that its
 * reader knows. Pure.
 *
 * @module
 */
import type { Check } from "../claim.ts";

const NOT_PLAIN: readonly RegExp[] = [
  /:\/\/|\bwww\.|\b(?:mailto|tel|data|javascript|ssh|ftp)\s?:/i,
  // A domain, written out or taken apart.
  /\b[\w-]+(?:\.|\s?[[(]\.[\])]\s?|\s(?:dot)\s)(?:com|net|org|io|dev|app|example|info|biz|xyz|top|ru|cn|co|me|ly|sh|link|site|online)\b/i,
  /\s\.\w/,
  /[@#]\w|<[!@#]|\bx-callback/i,
  // Markup of Slack, Markdown and HTML, code, our own marks, emoji.
  /[`*~<>|{}[\]\\^]|(?<!\w)_|_(?!\w)|&\w+;|:[a-z_+-]{2,}:|^\s*(?:[#>-]|\d+[.)]\s)/i,
  /\p{Extended_Pictographic}|[◆◈❖■●▪•]/u,
  // No control, no mark of direction, no letter of another script.
  /[^\x20-\x7E\u00C0-\u0130\u0132-\u017E‐-―‘’“”…×µ°≤≥±]/u,
];

export const plain: Check = (claim) =>
  NOT_PLAIN.some((pattern) => pattern.test(claim.text))
    ? { reason: "not plain" }
    : { kept: claim };
