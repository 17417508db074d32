/**
 * Questions to the person at the terminal.
 *
 * @module
 */
import { type CommandContext, CommandError } from "./command.ts";

/**
 * Asks a yes-or-no question; anything but y and yes means no.
 *
 * @throws {CommandError} If there is no terminal to ask on; `flag` answers.
 */
export async function askYes(
  { ask, signal }: CommandContext,
  question: string,
  flag: string,
): Promise<boolean> {
  if (ask === undefined) {
    throw new CommandError(
      `${question} There is no terminal to ask on; ${flag} says yes`,
    );
  }
  return /^y(es)?$/i.test(
    await answer(ask(`${question} [y/N] `), signal) ?? "",
  );
}

/** Asks until the answer is yes or no. The end of the input means no. */
export async function askYesOrNo(
  context: CommandContext,
  question: string,
): Promise<boolean> {
  const ask = needTerminal(context, "A question", "there is none");
  while (true) {
    const text = await answer(ask(`${question} [y/n] `), context.signal);
    if (text === undefined || /^no?$/i.test(text)) return false;
    if (/^y(es)?$/i.test(text)) return true;
  }
}

/**
 * Fails unless there is a terminal to ask on.
 *
 * @throws {CommandError} With exit code 2; `otherwise` says what helps.
 */
export function needTerminal(
  { ask }: CommandContext,
  option: string,
  otherwise: string,
): NonNullable<CommandContext["ask"]> {
  if (ask !== undefined) return ask;
  throw new CommandError(
    `${option} needs a terminal to ask on; ${otherwise}`,
    2,
  );
}

/** A pending read of the terminal cannot be cancelled, only abandoned. */
async function answer<T>(asked: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const stopped = Promise.withResolvers<never>();
  const stop = () => stopped.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([asked, stopped.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
