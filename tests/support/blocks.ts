/**
 * Reads the texts of blocks.
 *
 * @module
 */
import type { Block } from "../../lib/message/block_kit.ts";

/** Every text object of a block: what people read, and how it is read. */
export function textsOf(block: Block): { type: string; text: string }[] {
  type Text = { type: string; text: string };
  const { type, text, elements = [] } = block as unknown as {
    type: string;
    text?: Text;
    elements?: (Text | { text: Text })[];
  };
  if (type === "actions") return elements.map(({ text }) => text as Text);
  return text === undefined ? elements as Text[] : [text];
}
