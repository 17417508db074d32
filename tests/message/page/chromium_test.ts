/**
 * The page in a browser: nothing in it runs, and nothing leaves.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { domOf, hasChromium } from "../../support/chromium.ts";
import { hostile, pageOf, PAYLOADS } from "../../support/page.ts";

Deno.test({
  name: "a hostile page runs nothing and asks for nothing in Chromium",
  ignore: !await hasChromium(),
  async fn() {
    let asked = 0;
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () => {
        asked++;
        return new Response("");
      },
    );
    const here = `127.0.0.1:${server.addr.port}`;
    const act =
      `<script>document.title="ran"</script><img src="http://${here}/shown">`;
    // The browser does run and ask if it is let.
    const open = await domOf(`<!DOCTYPE html><title>a</title>${act}`);
    assertStringIncludes(open, "<title>ran</title>");
    assertEquals(asked, 1);
    for (
      const payload of [
        act,
        PAYLOADS.join(" ").replaceAll("127.0.0.1:1", here),
      ]
    ) {
      const { bundle, ...rest } = hostile(payload);
      const page = pageOf(bundle, rest);
      const dom = await domOf(page);
      assert(!/<title>\s*ran/.test(dom));
      // Even what got into it by a mistake of ours would do nothing.
      const leaky = await domOf(page.replace("<main>", `<main>${act}`));
      assert(!/<title>\s*ran/.test(leaky));
    }
    assertEquals(asked, 1);
  },
});
