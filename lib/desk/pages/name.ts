/**
 * The page that asks for a name. Pure.
 *
 * @module
 */
import { h, type Markup } from "../html.ts";
import { layout, notice } from "./layout.ts";

/** @param next Where to go on afterwards: a path of the desk. */
export function namePage(
  { next, given, problem }: { next: string; given: string; problem: boolean },
): Markup {
  return layout(
    { title: "Who are you?", person: undefined },
    h`
      <h1>Who are you?</h1>
      <p>Your name is recorded with each decision, and the message says who approved
      it. This browser remembers it. Nobody checks it, because only people on this
      machine reach the desk.</p>
      ${
      !problem ? "" : notice(
        "bad",
        "That name cannot be recorded",
        "Use 1 to 100 plain letters, digits and signs, without accents, such as Ana Lima. The platform records no others.",
      )
    }
      <form method="post" action="/name" class="name-form">
        <input type="hidden" name="next" value="${next}">
        <label for="name">Your name</label>
        <input id="name" name="name" value="${given}" required maxlength="100"
          autocomplete="name" autofocus>
        <button class="primary">Continue</button>
      </form>
    `,
  );
}
