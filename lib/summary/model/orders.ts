/**
 * Leaves out of what a model is shown what speaks to it: orders, imitated
 * prompts, approvals, answers in its own form. The checks hold without this, but
 * a model that never sees an order spends no claim on it. Pure.
 *
 * @module
 */
import { mapTexts } from "../../base/json.ts";

/** Stands where an order stood. */
export const LEFT_OUT = "(left out: it speaks to its reader)";

const ORDERS: readonly RegExp[] = [
  /\b(?:ignor|disregard|forget|overrid|bypass)\w*\b.{0,60}\b(?:previous|prior|above|earlier|all|any|your|these|those|rules?|instructions?|prompts?|evidence|checks?)\b/i,
  /\b(?:you are|you're|act as|pretend|behave as|from now on|as an ai|your (?:task|job|role|answer|output|instructions?))\b/i,
  /\b(?:system|assistant|developer)\W{0,3}(?:prompt|message|override|instructions?|note|mode)\b|^\W{0,6}(?:system|assistant|developer|user|human)\s*[:>\]]/i,
  /<\|?\/?(?:system|im_start|im_end|endoftext|assistant|instructions?|evidence)|\[\/?INST\]|^\s*#{1,6}\s*(?:instruction|system|response|answer)/i,
  /\b(?:summary|summari[sz]er|model|llm|claims?|answer|approver|on-?call|reader|operator)\b.{0,60}\b(?:must|should|shall|has to|needs? to)\b/i,
  /\b(?:must|should|shall|please|now)\b.{0,40}\b(?:say|state|write|report|claim|answer|output|include|mention|conclude|respond|reply|summari[sz]e|tell)\b/i,
  /^\W{0,6}(?:say|state|write|report|claim|answer|respond|output|conclude|print|repeat|include|mention|add|tell|note|remember|important|attention)\b.{0,20}(?:\bthat\b|:|["“'])/i,
  // Marks of our own lines.
  /[◆◈❖\u{1F534}\u{1F7E0}-\u{1F7EB}\u{1F535}]/u,
  /\bapprov(?:e|ed|al|es)\b|\bsign(?:ed)?[ -]?off\b|\bsha256\b.{0,12}\b[0-9a-f]{16}/i,
  /["']?(?:claims|section|abstain|evidence)["']?\s*:\s*[[{"']/i,
  /\b(?:ignor(?:iere|ez|a|e)|vergiss|oublie[zr]?|olvida|dimentica|melde|schreibe|écri[st]|escribe|scrivi|genehmig\w+|approuve\w*|aprueba|approva)\b/i,
];
/** What nobody reads as it is: long runs in base 64. Digests stay. */
const ENCODED =
  /(?<![\w+/])(?=[\w+/-]*[a-z])(?=[\w+/-]*[A-Z])(?=[\w+/-]*\d?)[A-Za-z0-9+/_-]{32,}={0,2}(?![\w+/])/g;

/** The same value without orders, and how many there were. */
export function withoutOrders<T>(value: T): { value: T; count: number } {
  let count = 0;
  const left = mapTexts(value, (text) =>
    sentencesOf(text).map((part) => {
      if (ORDERS.some((order) => order.test(part))) {
        count++;
        return LEFT_OUT;
      }
      return part.replace(ENCODED, (run) => {
        // A name of an object is no message.
        if (/[-_]/.test(run) && !/[+/=]/.test(run)) return run;
        count++;
        return LEFT_OUT;
      });
    }).join(""));
  return { value: left, count };
}

/** Sentences and lines with what ends them, so that they join to the text. */
function sentencesOf(text: string): string[] {
  return text.match(/[^\n]*?(?:[.!?]+(?=\s|$)\s*|\n+|$)/g)?.filter((part) =>
    part !== ""
  ) ?? [text];
}
