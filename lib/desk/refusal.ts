/**
 * Why the desk does not do what a request asks for.
 *
 * @module
 */

/** Becomes a page that says what is wrong and what to do. */
export class DeskRefusal extends Error {
  override name = "DeskRefusal";

  constructor(
    readonly status: number,
    readonly heading: string,
    /** What to do. */
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

export function notFound(): DeskRefusal {
  return new DeskRefusal(
    404,
    "There is no such page",
    "If it was a post, the platform does not know it, or no longer: it keeps a job for about a week. What was decided in the last month is under Decided.",
  );
}
