/**
 * Whether a text speaks of a measure. Pure.
 *
 * Alerts write a measure's name or its words: `ReplicaLag`, "replica lag",
 * "replication lag", `mysql_connections`.
 *
 * @module
 */

/** Words that many measures share, so that they tell none from another. */
const GENERIC =
  /^(?:total|used|usage|utili[sz]ation|average|avg|mean|max|maximum|min|minimum|count|current|space|rate|percent|seconds|bytes|database|db|of|per|the|free)$/;
/** Letters of a word that count: `replica` is the same as `replication`. */
const STEM_CHARS = 6;

/** Whether each word of the name that tells something begins a word of the text. */
export function mentions(text: string, name: string): boolean {
  const wanted = wordsIn(name).filter((word) =>
    word.length > 1 && !GENERIC.test(word)
  ).map((word) => word.slice(0, STEM_CHARS));
  if (wanted.length === 0) return false;
  const words = wordsIn(text);
  return wanted.every((stem) => words.some((word) => word.startsWith(stem)));
}

/** Small words, those of `ReplicaLag` and `replica_lag` apart. */
function wordsIn(text: string): string[] {
  return text.replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1 $2")
    .toLowerCase().split(/[^\p{L}\d]+/u).filter((word) => word !== "");
}
